#!/usr/bin/env bash
# Jobs of a private Slurm that ask to be told before their time is over (--signal): their
# daemons end what they do, get nothing new, and the jobs are over early.
# time limit: 200 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=16 >/dev/null
export XDG_CACHE_HOME=$work/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, daemons: 2, threads: 1, retries: {default: 0}, slurm: {partition: main, time: 2}}
  array: {inherits: base, slurm: {signal: "B:USR1@80"}}
  script: {inherits: base, slurm: {nodes: 2, signal: "B:USR2@80"}}
  steps: {inherits: base, slurm: {nodes: 2, signal: USR1@80}}
  again: {inherits: base, daemons: 1}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
run_r slurm_notice.R
finish
