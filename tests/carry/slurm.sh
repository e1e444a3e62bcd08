# What the flows of this folder share that run in a private Slurm; they source it, it is
# not one of them.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../flows/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
unset "${!SLURM_@}" TENKAI_ALLOCATION TENKAI_AS_MIRAI
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME/tenkai"

has_package() { Rscript --vanilla -e "invisible(packageVersion('$1'))" >/dev/null 2>&1; }

# need_packages NAME...: of R; without one of them the flow is skipped.
need_packages() {
  local package
  for package; do
    has_package "$package" && continue
    echo "skipped: there is no R package $package here"
    exit 0
  done
}

# start_profiles [WORD...]: a Slurm, as start_slurm has these words, and the profiles that
# standard input says.
start_profiles() {
  (umask 077 && cat >"$work/tenkai.yaml")
  export TENKAI_CONFIG=$work/tenkai.yaml
  start_slurm "$work/slurm" "$@" >/dev/null
}

no_jobs() { [ -z "$(squeue -h -o %i)" ]; }

# run_jobs SECONDS SCRIPT [ARGUMENT...]: an R script of this folder, whose checks are lines
# of its own, and which leaves no job.
run_jobs() {
  local seconds=$1 script=$2
  shift 2
  TENKAI_FLOW=$mark timeout "$seconds" Rscript --vanilla "../carry/$script" "$@" </dev/null || failed=1
  check "no job is left" wait_for 10 no_jobs
}

# run_carried SENTENCE [STATUS]: the R session that standard input says, in $work, which
# launches an R that is not there, too. SENTENCE names its end, of this status.
run_carried() {
  local status=0
  cd "$work"
  cat >session.R
  TENKAI_FLOW=$mark timeout 200 Rscript --vanilla session.R >said 2>&1 </dev/null || status=$?
  grep '^ok: \|^NOT OK: ' said || :
  [ "$status" = "${2-0}" ] || failed=1
  check "an R that is not there is told" grep -q 'tenkai carry: worker [0-9]*: rscript_missing: ' said
  check "$1 leaves no job" wait_for 60 no_jobs
  check "and no process" wait_for 60 nothing_is_left
  [ "$failed" = 0 ] || cat said
}
