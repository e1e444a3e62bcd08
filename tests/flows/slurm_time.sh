#!/usr/bin/env bash
# Jobs of a private Slurm whose time is one minute: what their daemons are given, what
# they hand back, and that nothing of it is left to Slurm to end.
# time limit: 200 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=8 >/dev/null
export XDG_CACHE_HOME=$work/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, daemons: 2, threads: 1, slurm: {partition: main, time: 1}}
  minute: {inherits: base, retries: {default: 0}}
  steps: {inherits: base, slurm: {nodes: 2}}
  again: {inherits: base, daemons: 1, slurm: {time: 10}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
no_jobs() { [ -z "$(squeue -h)" ]; }
run_r slurm_time.R
check "no job is left" wait_for 10 no_jobs
check "Slurm had to end none" [ -z "$(grep 'Time limit exhausted' "$work/slurm/log/slurmctld.log" || true)" ]
finish
