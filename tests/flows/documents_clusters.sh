#!/usr/bin/env bash
# Runs the examples of the vignette about clusters, and examples/slurm.R, against a private
# Slurm of two nodes and a private SSH server, which is both of its machines.
# time limit: 300 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
. ./sshd.sh
need_slurm
need_sshd
leave() {
  stop_slurm
  stop_sshds
  clean_up
}
trap leave EXIT
make_sshd
unset "${!SLURM_@}" TENKAI_ALLOCATION TENKAI_CONFIG
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config

# Whoever logs in finds the R package as we do.
here="R_LIBS='$R_LIBS' TENKAI_BIN='$TENKAI_BIN'"
echo "ForceCommand $here exec /bin/sh -c \"\$SSH_ORIGINAL_COMMAND\"" >"$sshd/nodes.extra"
at=$(free_port)
start_sshd nodes 127.0.0.1 "$at" env
known 127.0.0.1 "$at" ed25519 >"$sshd/known"
host_of_config 'node7 node8' 127.0.0.1 "$at" "$sshd/known" "$sshd/id_ed25519" >"$sshd/config"
export TENKAI_SSH_CONFIG=$sshd/config

start_slurm "$work/slurm" nodes=2 cpus=8 memory=8000 >/dev/null
run_document "$root/r/vignettes/clusters.Rmd" 200 || failed=1
echo 'profiles: {demo: {daemons: 4, launcher: slurm, slurm: {time: 10}}}' >"$work/demo.yaml"
TENKAI_CONFIG=$work/demo.yaml run_document "$root/examples/slurm.R" 100 || failed=1
stop_slurm
stop_sshds
check "nothing of it is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
