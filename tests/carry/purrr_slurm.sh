#!/usr/bin/env bash
# purrr's in_parallel() on the package mirai of tenkai, through a private Slurm, with a
# daemon killed in the middle. R_LIBS names a library with purrr and carrier in front of
# that with tenkai.
# time limit: 300 s
. "$(dirname "$0")/slurm.sh"
need_packages purrr carrier
start_profiles nodes=2 cpus=8 <<'YAML'
profiles:
  cpu:
    launcher: slurm
    daemons: 3
    slurm: {partition: main, time: 10}
YAML

run_jobs 240 purrr_slurm.R "$work"
finish
