#!/usr/bin/env bash
# purrr's in_parallel() on the package mirai of tenkai, through a private Slurm, with a
# daemon killed in the middle. R_LIBS names a library with purrr and carrier in front of
# that with tenkai.
# time limit: 300 s
. "$(dirname "$0")/../flows/common.sh"
. ../slurm/cluster.sh
need_slurm
for package in purrr carrier; do
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
  cpu:
    launcher: slurm
    daemons: 3
    slurm: {partition: main, time: 10}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml
no_jobs() { [ -z "$(squeue -h)" ]; }

TENKAI_FLOW=$mark timeout 240 Rscript --vanilla ../carry/purrr_slurm.R "$work" </dev/null || failed=1
check "no job is left" wait_for 10 no_jobs
finish
