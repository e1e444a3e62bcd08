# What the flows of `tenkai doctor` share: doctor.sh (this machine), doctor_slurm.sh, doctor_ssh.sh.
# To be sourced after common.sh. The numbers of failures are those of tests/slurm/failures.md, where
# each has the check that finds it before a job is there.
# shellcheck shell=bash disable=SC2154 # what common.sh sets
umask 022
export XDG_CACHE_HOME=$work/cache
home=$work/home
mkdir -p "$home" "$work/here"
unset TENKAI_CONFIG

# doctor ARGUMENTS...: in a home of its own; what it says is in $work/out, its status in $status.
doctor() {
  status=0
  (cd "$work/here" && HOME=$home TENKAI_CONFIG="${config-}" timeout 60 "${before[@]}" "$TENKAI_BIN" doctor "$@") \
    >"$work/out" 2>"$work/err" || status=$?
}
before=()
profiles() { config=$work/profiles.yaml && cat >"$config"; }

# what STATE...: the ids of the checks in these states.
what() {
  local state
  for state; do awk -v state="$state" '$1 == state {print $2}' "$work/out"; done | sort -u | tr '\n' ' '
}
complains() { [ -n "$(what wrong warning)" ]; }
finds() { [[ " $(what "$1")" == *" $2 "* ]]; }
says() { grep -qF -- "$1" "$work/out"; }

# healthy WHERE ARGUMENTS...
healthy() {
  local begun where=$1
  shift
  begun=$(date +%s%N)
  doctor "$@"
  echo "    $where took $((($(date +%s%N) - begun) / 1000000)) ms"
  check "$where: nothing is complained of" [ -z "$(what wrong warning)" ]
  check "$where: the exit code is 0" [ "$status" = 0 ]
  if [ "$status" != 0 ] || complains; then cat "$work/out" "$work/err"; fi
}

# staged F-NUMBER STATE ID WORDS ARGUMENTS...: what was staged before is found.
staged() {
  local number=$1 state=$2 id=$3 words=$4
  shift 4
  doctor "$@"
  check "$number: $id is $state" finds "$state" "$id"
  finds "$state" "$id" || cat "$work/out" "$work/err"
  check "$number: and says '$words'" says "$words"
}
