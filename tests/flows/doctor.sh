#!/usr/bin/env bash
# `tenkai doctor`: that it finds nothing on healthy sites (this machine, a private Slurm, an SSH
# server), and what is staged. Each line of the tables below: the failure, by its number in
# tests/slurm/failures.md; the id of the check that has to complain, and how; the command line.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
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
found_numbers=''
staged() {
  local number=$1 state=$2 id=$3 words=$4
  shift 4
  doctor "$@"
  check "$number: $id is $state" finds "$state" "$id"
  if finds "$state" "$id"; then found_numbers+="$number "; else cat "$work/out" "$work/err"; fi
  check "$number: and says '$words'" says "$words"
}

# --- this machine ---

healthy "a laptop"
rows() { (cd "$work/here" && HOME=$home "$TENKAI_BIN" doctor --rows) >"$work/rows"; }
rows
check "there is a row for each check" [ "$(awk -F'\t' 'NF == 5' "$work/rows" | wc -l)" = "$(grep -cE '^(ok|skipped) ' "$work/out")" ]
doctor --json
check "as JSON, too" python3 -c 'import json, sys; it = json.load(open(sys.argv[1])); assert it["wrong"] == 0 and it["checks"][0]["state"] == "ok"' "$work/out"
doctor --profil x
check "a wrong command line is 2" [ "$status" = 2 ]
cat >"$work/doctor.R" <<'R'
found <- tenkai::doctor()
stopifnot(inherits(found, "tenkaiDoctor"), !any(found$state %in% c("wrong", "warning")))
print(found)
R
check "in R, the same" bash -c 'HOME=$1 Rscript "$2" >"$3"' bash "$home" "$work/doctor.R" "$work/out"
check "with what the session knows" says 'ok       session.program'

mkdir "$work/bin"
printf '#!/bin/sh\nexit 1\n' >"$work/bin/old" && chmod +x "$work/bin/old"
printf '#!/bin/sh\nprintf "@r=4.0.5\\n@end=yes\\n"\n' >"$work/bin/Rscript4.0" && chmod +x "$work/bin/Rscript4.0"
printf '#!/bin/sh\nsleep 6.2\nexec Rscript "$@"\n' >"$work/bin/slow" && chmod +x "$work/bin/slow"
profiles <<YAML
profiles:
  missing: {launcher: local, environment: {rscript: /no/Rscript}}
  old: {launcher: local, environment: {rscript: $work/bin/Rscript4.0}}
  slow: {launcher: local, environment: {rscript: $work/bin/slow}}
  module: {launcher: command, command: {program: sh}, environment: {modules: [R/9.9]}, url: "wss://127.0.0.1:0"}
  card: {launcher: command, command: {program: sh}, interface: ib7}
  many: {daemons: 400}
YAML
staged F1 wrong r "is not found" --profile missing
staged F1 wrong r.version "4.1 or later" --profile old
staged F1 wrong r "module" --profile module
staged F5 wrong profile.address "there is no network interface 'ib7'" --profile card
staged F22 warning r.start "to start" --profile slow
before=(env "R_LIBS=$work/none")
staged F1 wrong r.package "not in R's libraries"
before=(bash -c 'ulimit -n 400; exec "$@"' bash)
staged F21 wrong machine.open_files "too few for 400 daemons" --profile many
before=(bash -c 'ulimit -t 900; exec "$@"' bash)
staged F23 warning machine.cpu_time "killed after 900 s"
before=(env OMP_NUM_THREADS=512)
staged F27 warning machine.processors "OMP_NUM_THREADS is 512"
before=()
profiles <<YAML
profiles:
  mine: {launcher: slurm, slurm: {options: [--job-name=mine]}}
YAML
staged F19 wrong profile.files "job-name" --profile mine
profiles <<YAML
profiles:
  mine: {launcher: slurm, slurm: {options: [--output=/dev/null]}}
YAML
staged F20 wrong profile.files "slurm.logs" --profile mine
profiles <<<'profiles: {mine: {daemons: 1}}'
staged typo wrong profile.known "did you mean 'mine'" --profile minne
config=

finish
