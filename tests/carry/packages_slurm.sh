#!/usr/bin/env bash
# Packages tune, mlr3 and plumber2 on the package mirai of tenkai, through a private Slurm,
# each in a session of its own; for the first two a daemon is killed. R_LIBS names a library
# with them in front of that with tenkai.
# time limit: 900 s
. "$(dirname "$0")/slurm.sh"
start_profiles nodes=2 cpus=8 <<'YAML'
profiles:
  cpu: {launcher: slurm, daemons: 3, slurm: {partition: main, time: 10}}
YAML

for package in tune mlr3 plumber2; do
  if has_package "$package"; then
    run_jobs 240 packages_slurm.R "$work" "$package"
  else
    echo "skipped: there is no R package $package here"
  fi
done
finish
