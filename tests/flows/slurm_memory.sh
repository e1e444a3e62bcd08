#!/usr/bin/env bash
# A task takes more memory than limits.memory allows, in a job of a private Slurm that
# enforces nothing: its daemon is killed, the mirai says so, and the others of the job go on.
# time limit: 120 s
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
  base: {launcher: slurm, daemons: 2, threads: 1, limits: {memory: 300M}, slurm: {partition: main, time: 10}}
  array: {inherits: base, slurm: {array-chunk: 2}}
  nodes: {inherits: base, slurm: {nodes: 2}, retries: {oom: 1}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
run_r slurm_memory.R
finish
