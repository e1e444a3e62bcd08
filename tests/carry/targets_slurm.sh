#!/usr/bin/env bash
# A pipeline of package targets, with a controller for two profiles of a private Slurm: one
# daemon is killed, another has too little memory. R_LIBS names a library with targets and
# crew in front of that with tenkai.
# time limit: 300 s
. "$(dirname "$0")/slurm.sh"
need_packages targets crew
start_profiles nodes=2 cpus=8 <<'YAML'
profiles:
  base: {launcher: slurm, threads: 1, limits: {memory: 400M}, slurm: {partition: main, time: 10}}
  cpu: {inherits: base, daemons: 4, slurm: {array-chunk: 2}}
  gpu: {inherits: base, daemons: 1, environment: {variables: {PLACE: gpu}}}
YAML

mkdir "$work/pipeline"
cp ../carry/targets_slurm_pipeline.R "$work/pipeline/_targets.R"
run_jobs 240 targets_slurm.R "$work/pipeline"
finish
