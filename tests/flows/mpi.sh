#!/usr/bin/env bash
# Daemons that MPI spawns, on one host and over the nodes of a job of Slurm: one that
# dies takes no other with it, later ones come, and nothing outlives the session.
#
# Open MPI listens at every address, so all of it is in a network namespace of its own.
# time limit: 240 s
# That takes root: in a user namespace neither slurmd runs, nor is a folder safe enough for
# a credential, because / belongs to nobody there.
if [ -z "${OWN_NETWORK-}" ]; then
  if ! unshare --net true 2>/dev/null; then
    echo "skipped: a network namespace cannot be had"
    exit 0
  fi
  # Without an address that is not of the loopback, names have none at all (AI_ADDRCONFIG).
  # shellcheck disable=SC2016 # for the other shell
  exec unshare --net sh -c 'ip link set lo up && ip address add 10.213.8.1/32 dev lo &&
    OWN_NETWORK=yes exec bash "$0" "$@"' "$(realpath "$0")" "$@"
fi
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
if ! command -v mpirun >/dev/null || [ ! -x "$(dirname "$TENKAI_BIN")/../libexec/tenkai/tenkai-mpi-spawn" ]; then
  echo "skipped: there is no Open MPI 4 here, or it was not there when tenkai was built"
  exit 0
fi
need_slurm
trap 'stop_slurm; clean_up' EXIT
unset "${!SLURM_@}" "${!OMPI_@}" TENKAI_ALLOCATION
export XDG_CACHE_HOME=$work/cache TMPDIR=$work/tmp
mkdir "$XDG_CACHE_HOME" "$TMPDIR"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

run_r mpi.R
check "nothing of it is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
check "  and no file" [ -z "$(ls "$XDG_CACHE_HOME/tenkai")" ]

# The R of the session, and no daemon.
session() {
  local pid
  for pid in $(marked); do
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "/exec/R .*mpi_nodes.R" && echo "$pid"
  done | head -1
}
is_over() { [ -z "$(squeue -h -o %i)" ]; }

# Open MPI takes a folder for that of one machine, and here two nodes would make the same
# one at the same time: each of them gets a /tmp of its own.
mkdir "$work/n1" "$work/n2"
cat >"$work/orted" <<SH
#!/bin/sh
ulimit -c 0
exec unshare --mount sh -c 'mount --bind "$work/\$SLURMD_NODENAME" "$TMPDIR" && exec orted "\$@"' sh "\$@"
SH
chmod +x "$work/orted"
export OMPI_MCA_orte_launch_agent=$work/orted
start_slurm "$work/slurm" nodes=2 cpus=4
TENKAI_FLOW=$mark sbatch -Q -N2 --ntasks-per-node=2 --time=10 -o "$work/nodes.log" \
  --wrap "exec Rscript --vanilla mpi_nodes.R $work"
wait_for 120 [ -e "$work/ready" ] || true
cat "$work/nodes.log"
grep -q '^NOT OK' "$work/nodes.log" && failed=1
check "the job has done all of it" [ -e "$work/ready" ]
kill -KILL "$(session)"
check "the session is killed: no process is left within 10 s" wait_for 10 nothing_is_left
nothing_is_left || show_left
check "  and no job" slurm_wait 10 is_over

cat >"$work/profiles.yaml" <<'YAML'
profiles:
  spawned:
    launcher: slurm
    daemons: 4
    url: wss://127.0.0.1:0
    slurm: {nodes: 2, time: 5, template: mpi.sbatch}
YAML
export TENKAI_CONFIG=$work/profiles.yaml OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo
run_r mpi_job.R
check "the job ends with its session" slurm_wait 10 is_over
check "  and all that was in it" wait_for 10 nothing_is_left
nothing_is_left || show_left
stop_slurm
finish
