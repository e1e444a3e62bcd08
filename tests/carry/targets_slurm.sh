#!/usr/bin/env bash
# A pipeline of package targets, with a controller for two profiles of a private Slurm: one
# daemon is killed, another has too little memory. R_LIBS names a library with targets and
# crew in front of that with tenkai.
# time limit: 300 s
. "$(dirname "$0")/../flows/common.sh"
. ../slurm/cluster.sh
need_slurm
for package in targets crew; do
  Rscript --vanilla -e "invisible(packageVersion('$package'))" >/dev/null 2>&1 && continue
  echo "skipped: there is no R package $package here"
  exit 0
done
trap 'stop_slurm; clean_up' EXIT
start_slurm "$work/slurm" nodes=2 cpus=8 >/dev/null
export XDG_CACHE_HOME=$work/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, threads: 1, limits: {memory: 400M}, slurm: {partition: main, time: 10}}
  cpu: {inherits: base, daemons: 4, slurm: {array-chunk: 2}}
  gpu: {inherits: base, daemons: 1, environment: {variables: {PLACE: gpu}}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
no_jobs() { [ -z "$(squeue -h)" ]; }

mkdir "$work/pipeline"
cp ../carry/targets_slurm_pipeline.R "$work/pipeline/_targets.R"
TENKAI_FLOW=$mark timeout 240 Rscript --vanilla ../carry/targets_slurm.R "$work/pipeline" </dev/null || failed=1
check "no job is left" wait_for 10 no_jobs
finish
