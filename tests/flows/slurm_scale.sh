#!/usr/bin/env bash
# Daemons of a private Slurm that come when there is work, go when there is none, and come
# back when they are lost: tasks enough for several generations of jobs of one minute each.
# time limit: 400 s
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
  base: {launcher: slurm, threads: 1, slurm: {partition: main, time: 1}}
  minute: {inherits: base, scale: {min: 1, max: 4, backlog: 4, idle: 3s}, retries: {default: 5}}
  later: {inherits: minute, scale: {min: 0}}
  broken: {inherits: base, scale: {max: 2}, environment: {prologue: exit 3}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
no_jobs() { [ -z "$(squeue -h)" ]; }
TENKAI_LOG=info run_r slurm_scale.R 2>"$work/log"
deaths=$(grep -c 'daemon [0-9]* is gone: ' "$work/log")
known='is gone: (job [0-9_]* on n[12]) \(had no time left in its job\|said goodbye\|was killed: CANCELLED\)$'
check "$deaths daemons have gone" [ "$deaths" -ge 9 ]
check "each for a reason that is known" [ "$(grep -c "$known" "$work/log")" = "$deaths" ]
grep 'daemon [0-9]* is gone: ' "$work/log" | grep -v "$known" | sed 's/^/    /'
check "no job is left" wait_for 10 no_jobs
check "Slurm had to end none" [ -z "$(grep 'Time limit exhausted' "$work/slurm/log/slurmctld.log" || true)" ]
finish
