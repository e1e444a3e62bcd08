#!/usr/bin/env bash
# Tasks that a job of the usual size cannot do, on a private Slurm: they are tried again in
# a job that has more, or it is said why there is none.
# time limit: 300 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=8 memory=2000 >/dev/null
export XDG_CACHE_HOME=$work/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, daemons: 2, threads: 1, slurm: {partition: main}}
  memory:
    inherits: base
    slurm: {mem: 200M}
    limits: {memory: 200M}
    retries: {oom: {times: 3, mem: x2}}
  time:
    inherits: base
    daemons: 1
    slurm: {time: 1}
    retries: {time_limit: {times: 1, time: x2}}
  none: {inherits: memory, daemons: 1, retries: {oom: {times: 3, mem: x16}}}
  scaled: {inherits: memory, scale: {max: 2, idle: 5s}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
no_jobs() { [ -z "$(squeue -h)" ]; }
run_r slurm_escalation.R
check "no job is left" wait_for 10 no_jobs
finish
