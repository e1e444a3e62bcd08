#!/usr/bin/env bash
# What a session says of jobs of a real Slurm that do not do what was meant: that never
# bring a daemon, that wait, and that are ended while a task runs.
# time limit: 250 s
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
# nothing starts on n8.
start_slurm "$work/slurm" nodes=8 cpus=16 WaitTime=5 PreemptType=preempt/partition_prio PreemptMode=CANCEL \
  "PartitionName=main Nodes=n[1-4] Default=YES MaxTime=INFINITE DefaultTime=10 State=UP" \
  "PartitionName=low Nodes=n5 PriorityTier=1 PreemptMode=CANCEL GraceTime=0" \
  "PartitionName=high Nodes=n5 PriorityTier=10 PreemptMode=OFF" \
  "PartitionName=dying Nodes=n6" "PartitionName=ghost Nodes=n7" "PartitionName=drained Nodes=n8" \
  "PartitionName=pair Nodes=n[7-8]" "PartitionName=down Nodes=n1 State=DOWN" "PartitionName=brief Nodes=n1 MaxTime=1"
scontrol update NodeName=n8 State=DRAIN Reason="a disk is broken"

# R without the package; a network that leads nowhere; another version; a crash.
printf '#!/bin/sh\nR_LIBS=/none R_LIBS_USER=/none exec Rscript "$@"\n' >"$work/bare"
printf '#!/bin/sh\nexec unshare -rn Rscript "$@"\n' >"$work/cut"
printf '#!/bin/sh\nulimit -c 0\nkill -SEGV $$\n' >"$work/crash"
python3 - "$TENKAI_BIN" "$work/other" <<'PYTHON'
import re, subprocess, sys
version = re.search(rb"\d+\.\d+\.\d+", subprocess.check_output([sys.argv[1], "--version"]))[0]
with open(sys.argv[1], "rb") as file, open(sys.argv[2], "wb") as other:
    other.write(file.read().replace(version, b"9" + version[1:]))
PYTHON
chmod 755 "$work/bare" "$work/cut" "$work/crash" "$work/other"

(
  umask 077
  cat >"$work/profiles.yaml" <<YAML
profiles:
  base: {launcher: slurm, daemons: 1, threads: 1, slurm: {time: 10}}
  no-rscript: {inherits: base, environment: {rscript: Rscriptless}}
  no-module: {inherits: base, environment: {modules: [no/such/1.0]}}
  no-package: {inherits: base, environment: {rscript: $work/bare}}
  other-version: {inherits: base, environment: {variables: {TENKAI_BIN: $work/other}}}
  prologue: {inherits: base, environment: {prologue: "exit 3"}}
  crash: {inherits: base, environment: {rscript: $work/crash}}
  cut: {inherits: base, environment: {rscript: $work/cut}}
  nowhere: {inherits: base, slurm: {partition: nowhere}}
  greedy: {inherits: base, slurm: {cpus-per-task: 999}}
  memory: {inherits: base, slurm: {mem: 999G}}
  hostile: {inherits: base, slurm: {partition: "main;touch\$IFS$work/hostile"}}
  down: {inherits: base, slurm: {partition: down}}
  drained: {inherits: base, slurm: {partition: drained}}
  brief: {inherits: base, slurm: {partition: brief}}
  pair: {inherits: base, daemons: 2, slurm: {partition: pair, nodes: 2}}
  withdrawn: {inherits: base, slurm: {partition: down}}
  named: {inherits: base, slurm: {options: [--job-name=mine]}}
  cancelled: {inherits: base, retries: {default: 0}}
  cancelled-2: {inherits: base, daemons: 2}
  limited: {inherits: base, retries: {default: 0}}
  preempted: {inherits: base, retries: {default: 0}, slurm: {partition: low}}
  node: {inherits: base, retries: {default: 0}, slurm: {partition: dying, options: [--no-requeue]}}
  ghost: {inherits: base, slurm: {partition: ghost, options: [--no-requeue]}}
  requeued: {inherits: base, slurm: {options: [--requeue]}}
  requeued-0: {inherits: base, retries: {default: 0}, slurm: {options: [--requeue]}}
  chunk: {inherits: base, daemons: 8, retries: {default: 0}, limits: {idletime: 6s}, slurm: {array-chunk: 8}}
  ranks: {inherits: chunk, slurm: {nodes: 2, array-chunk: ~}}
  left: {inherits: base, daemons: 2}
YAML
)
export TENKAI_CONFIG=$work/profiles.yaml SLURM=$slurm
no_job() { [ -z "$(squeue -h)" ]; }
for part in ${PARTS:-failed running}; do run_r "slurm_$part.R"; done
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
