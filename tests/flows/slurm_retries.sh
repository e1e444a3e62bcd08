#!/usr/bin/env bash
# How often a task is tried again, by the cause of its daemon's end, as `retries:` of a
# profile says it: each cause is had for real, in jobs of a private Slurm.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
# Before Slurm starts: its jobs have the limits of slurmd.
ulimit -c 0
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=32 >/dev/null
export XDG_CACHE_HOME=$work/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, daemons: 1, threads: 1, slurm: {partition: main, time: 10}}
  killed-2: {inherits: base, retries: {default: 0, killed: 2}}
  killed-0: {inherits: base, retries: {default: 3, killed: 0}}
  segfault-1: {inherits: base, retries: {default: 0, segfault: 1}}
  quit-1: {inherits: base, retries: {default: 0, quit: 1}}
  quit: {inherits: base, retries: {default: 3}}
  job_cancelled-1: {inherits: base, retries: {default: 0, job_cancelled: 1}}
  job_cancelled-0: {inherits: base, retries: {default: 3, job_cancelled: 0}}
  lost-1: {inherits: base, retries: {default: 0, lost: 1}}
  lost-0: {inherits: base, retries: {default: 3, lost: 0}}
  oom-2: {inherits: base, retries: {default: 0, oom: 2}, limits: {memory: 200M}}
  oom: {inherits: base, retries: {default: 3}, limits: {memory: 200M}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
run_r slurm_retries.R
finish
