#!/usr/bin/env bash
# `tenkai plugin slurm` against a private Slurm: arrays, ranks, causes, cancelling; and
# against a fake one, for what a real one cannot be made to do.
# time limit: 400 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
program=$TENKAI_BIN
run_py() { TENKAI_FLOW=$mark python3 -B slurm_plugin.py "$1" "$program" "$work/$1" </dev/null || failed=1; }

mkdir "$work/fake" "$work/real"
(export FAKE_SLURM=$work/fake/play PATH=$root/tests/slurm/fake:$PATH; mkdir "$FAKE_SLURM"; run_py fake; exit "$failed") ||
  failed=1
if command -v slurmctld >/dev/null || [ -x /usr/sbin/slurmctld ]; then
  need_slurm
  trap 'stop_slurm; clean_up' EXIT
  start_slurm "$work/slurm" nodes=2 cpus=4
  export slurm slurm_reaper
  export -f slurm_kill slurm_launch slurm_order slurm_wait slurm_is_gone slurm_runs
  run_py real
  stop_slurm
else
  echo "skipped: the real Slurm, because there is none here"
fi
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
