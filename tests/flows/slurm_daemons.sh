#!/usr/bin/env bash
# Daemons that an R session launches as jobs of a private Slurm, from a profile in a
# file: as an array, as one job over several nodes, by hand, 64 of them with one sbatch;
# and what is left when the session ends or is killed.
# time limit: 400 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=40 memory=40000 >/dev/null

# The folder of the session's jobs is not that of whoever runs the tests.
export XDG_CACHE_HOME=$work/cache
cat >"$work/tenkai.yaml" <<YAML
profiles:
  base:
    launcher: slurm
    threads: 2
    environment: {variables: {COLOUR: "it's \$red"}}
    slurm: {partition: main, time: 10}
  array: {inherits: base, daemons: 3}
  chunks: {inherits: base, daemons: 5, slurm: {array-chunk: 2}}
  nodes: {inherits: base, daemons: 4, slurm: {nodes: 2, array-chunk: ~}}
  logs:
    inherits: base
    daemons: 3
    environment: {variables: {CUDA_VISIBLE_DEVICES: "0,1,2"}}
    slurm: {array-chunk: 2, logs: $work/logs, task-logs: yes}
  many: {inherits: base, daemons: 64}
  silent: {inherits: base, daemons: 1, environment: {prologue: "exec true"}}
  thousand: {inherits: base, daemons: 1000}
YAML
export TENKAI_CONFIG=$work/tenkai.yaml

# How many jobs were submitted so far, each array as one.
submissions() { grep -c '_slurm_rpc_submit_batch_job: JobId' "$work/slurm/log/slurmctld.log" || true; }
no_folder() { [ -z "$(ls "$XDG_CACHE_HOME/tenkai")" ]; }
no_jobs() { [ -z "$(squeue -h)" ]; }
export -f submissions
export work

# Takes half a minute, so it goes on beside the others.
TENKAI_FLOW=$mark timeout 120 Rscript --vanilla slurm_daemons.R "$work" silent </dev/null >"$work/said" 2>&1 &
silent=$!
check "a job that is silent is submitted" wait_for 30 test -e "$work/silent"

run_r() { TENKAI_FLOW=$mark timeout 120 Rscript --vanilla slurm_daemons.R "$work" "$1" </dev/null || failed=1; }
for part in array chunks nodes by_hand logs many; do
  run_r "$part"
  check "$part: no job is left" wait_for 10 no_jobs
done

wait "$silent" || failed=1
cat "$work/said"

# One script of sbatch for a thousand, without any dispatcher.
"$TENKAI_BIN" launch --dry-run --profile thousand >"$work/thousand"
check "1,000 daemons are one submission" [ "$(grep -c '^sbatch ' "$work/thousand")" = 1 ]
check "what is shown has no secret" [ -z "$(grep -i dGVua2Fp "$work/thousand")" ]

# A session that is killed.
start Rscript --vanilla slurm_daemons.R "$work" killed
session=$started
wait_for 30 test -e "$work/online" || echo "NOT OK: the daemons of the session that is killed have come"
kill -KILL "$session"
check "a session that is killed leaves no job within 10 s" wait_for 10 no_jobs
check "and no folder" wait_for 10 no_folder

stop_slurm
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
