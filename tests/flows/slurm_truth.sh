#!/usr/bin/env bash
# What a session says of jobs of a real Slurm that do not do what was meant: that never
# bring a daemon, that wait, and that are ended while a task runs. tests/slurm/failures.md
# says which failure is staged where.
# time limit: 450 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
ulimit -c 0
leave() {
  stop_slurm
  clean_up
}
trap leave EXIT

# n1 to n4 are for all; jobs on n5 make room for others, n6 and n7 are going to die, and
# nothing starts on n8. R fails on n9, n11 does not see the session's folder, and nobody here
# may submit to `front`.
start_slurm "$work/slurm" nodes=11 cpus=16 WaitTime=5 PreemptType=preempt/partition_prio PreemptMode=CANCEL \
  "PartitionName=main Nodes=n[1-4] Default=YES MaxTime=INFINITE DefaultTime=10 DefMemPerCPU=250 State=UP" \
  "PartitionName=low Nodes=n5 PriorityTier=1 PreemptMode=CANCEL GraceTime=0" \
  "PartitionName=high Nodes=n5 PriorityTier=10 PreemptMode=OFF" \
  "PartitionName=dying Nodes=n6" "PartitionName=ghost Nodes=n7" "PartitionName=drained Nodes=n8" \
  "PartitionName=pair Nodes=n[7-8]" "PartitionName=down Nodes=n1 State=DOWN" "PartitionName=brief Nodes=n1 MaxTime=1" \
  "PartitionName=odd Nodes=n[9-10]" "PartitionName=apart Nodes=n11" "PartitionName=front Nodes=n1 AllocNodes=front"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/tenkai
export APART=no
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  APART=yes
  (umask 077 && mkdir -p "$cache")
  slurm_kill n11
  slurm_order run n11 unshare --mount sh -c "mount -t tmpfs none '$cache' && exec slurmd -D -f '$SLURM_CONF' -N n11"
  slurm_wait 30 slurm_idle 11
fi
scontrol update NodeName=n8 State=DRAIN Reason="a disk is broken"

# R without the package; a network that leads nowhere; another version; a crash. Where
# the agent is to be cut off, or another one, R has to start it, as in a container.
printf '#!/bin/sh\nR_LIBS=/none R_LIBS_USER=/none exec Rscript "$@"\n' >"$work/bare"
printf '#!/bin/sh\nexec /usr/bin/unshare -rn Rscript "$@"\n' >"$work/cut"
printf '#!/bin/sh\nulimit -c 0\nkill -SEGV $$\n' >"$work/crash"
# A node whose R is broken; a file system that is slow; a container, whose image has R.
printf '#!/bin/sh\n[ "$SLURMD_NODENAME" != n9 ] || { sleep 2; exit 9; }\nexec Rscript "$@"\n' >"$work/odd"
printf '#!/bin/sh\nsleep 30\nexec Rscript "$@"\n' >"$work/slow"
mkdir "$work/containers" "$work/image"
printf '#!/bin/sh\nshift 2\nPATH=%s exec "$@"\n' "$work/image" >"$work/containers/apptainer"
for program in Rscript R sh bash env cat rm sed uname dirname basename expr; do
  ln -s "$(command -v "$program")" "$work/image/$program"
done
touch "$work/image.sif"
FIRST_PORT=$(
  python3 - <<'PYTHON'
import random, socket
def is_free(port):
    with socket.socket() as each:
        return each.connect_ex(("127.0.0.1", port)) != 0
while not all(map(is_free, range(first := random.randrange(12000, 32000), first + 3))):
    pass
print(first)
PYTHON
)
export FIRST_PORT PATH=$PATH:$work/containers
python3 - "$TENKAI_BIN" "$work/other" <<'PYTHON'
import re, subprocess, sys
version = re.search(rb"\d+\.\d+\.\d+", subprocess.check_output([sys.argv[1], "--version"]))[0]
with open(sys.argv[1], "rb") as file, open(sys.argv[2], "wb") as other:
    other.write(file.read().replace(version, b"9" + version[1:]))
PYTHON
chmod 755 "$work/bare" "$work/cut" "$work/crash" "$work/other" "$work/odd" "$work/slow" "$work/containers/apptainer"

(
  umask 077
  cat >"$work/profiles.yaml" <<YAML
profiles:
  base: {launcher: slurm, daemons: 1, threads: 1, slurm: {time: 10}}
  no-rscript: {inherits: base, environment: {rscript: Rscriptless}}
  no-module: {inherits: base, environment: {modules: [no/such/1.0]}}
  no-package: {inherits: base, bring: no, environment: {rscript: $work/bare}}
  other-version: {inherits: base, environment: {apptainer: $work/image.sif, variables: {TENKAI_BIN: $work/other}}}
  prologue: {inherits: base, environment: {prologue: "exit 3"}}
  crash: {inherits: base, environment: {rscript: $work/crash}}
  cut: {inherits: base, environment: {apptainer: $work/image.sif, rscript: $work/cut}}
  nowhere: {inherits: base, slurm: {partition: nowhere}}
  greedy: {inherits: base, slurm: {cpus-per-task: 999}}
  memory: {inherits: base, slurm: {mem: 999G}}
  hostile: {inherits: base, slurm: {partition: "main;:>$work/hostile"}}
  down: {inherits: base, slurm: {partition: down}}
  drained: {inherits: base, slurm: {partition: drained}}
  brief: {inherits: base, slurm: {partition: brief}}
  pair: {inherits: base, daemons: 2, slurm: {partition: pair, nodes: 2}}
  withdrawn: {inherits: base, slurm: {partition: down}}
  named: {inherits: base, slurm: {job-tag: comment, options: [--job-name=mine]}}
  cancelled: {inherits: base, retries: {default: 0}}
  cancelled-2: {inherits: base, daemons: 2}
  limited: {inherits: base, retries: {default: 0}}
  preempted: {inherits: base, retries: {default: 0}, slurm: {partition: low}}
  node: {inherits: base, retries: {default: 0}, slurm: {partition: dying, options: [--no-requeue]}}
  ghost: {inherits: base, slurm: {partition: ghost, options: [--no-requeue]}}
  requeued: {inherits: base, slurm: {options: [--requeue]}}
  requeued-0: {inherits: base, retries: {default: 0}, slurm: {options: [--requeue]}}
  chunk: {inherits: base, daemons: 8, retries: {default: 0}, limits: {idletime: 6s}, slurm: {array-chunk: 8}}
  ranks: {inherits: chunk, slurm: {nodes: 2, array-chunk: 1}}
  apart: {inherits: base, slurm: {partition: apart}}
  suspended: {inherits: base, retries: {default: 0}}
  left: {inherits: base, daemons: 2}
  taken: {inherits: base, port: $FIRST_PORT}
  range: {inherits: base, port: $FIRST_PORT-$((FIRST_PORT + 2))}
  range-2: {inherits: range}
  front: {inherits: base, slurm: {partition: front}}
  no-sbatch: {inherits: base}
  inside: {inherits: base, daemons: 2, threads: auto, slurm: {cpus-per-task: 3, array-chunk: 2}}
  spread: {inherits: inside, slurm: {nodes: 2, array-chunk: ~}}
  odd: {inherits: base, daemons: 6, environment: {rscript: $work/odd}, slurm: {partition: odd, cpus-per-task: 4}}
  slow: {inherits: base, environment: {rscript: $work/slow}}
  login: {inherits: base}
  image:
    inherits: base
    environment: {apptainer: $work/image.sif, variables: {COLOUR: "it's \$red"}, prologue: "export BEFORE=set"}
YAML
)
export TENKAI_CONFIG=$work/profiles.yaml SLURM=$slurm
no_job() { [ -z "$(squeue -h)" ]; }
run_r slurm_failed.R
run_r_beside slurm_sites.R salloc -Q
run_r slurm_running.R
finish_beside
check "no job is left of all that" wait_for 10 no_job
# The last one kills itself, with jobs that run.
TENKAI_FLOW=$mark Rscript --vanilla slurm_innocent.R "$work" </dev/null || :
check "it had jobs, and none is left 10 s after the session was killed" wait_for 10 no_job
[ -s "$work/left.job" ] || check "it came to its end" false
no_job || squeue
check "and a hostile partition has done nothing" [ ! -e "$work/hostile" ]
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
