# What the flows share; they source it, it is not one of them.
#
# A flow has a folder of its own, $work, and a mark: every process it starts with
# `start` bears it in its environment, and so do all that come from that one, however
# they were started. By the mark they are found, counted, and ended with the flow.
# shellcheck shell=bash
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TENKAI_BIN=${TENKAI_BIN:-$root/build/bin/tenkai}
export R_LIBS=${R_LIBS:-$root/build/R}
# The R scripts end by themselves before scripts/test ends the flow, and say where they were.
seconds=$(sed -n 's/^# time limit: \([0-9]*\) s.*/\1/p' "$0")
export TENKAI_FLOW_ENDS=$(($(date +%s) + ${seconds:-300} - 20))
cd "$root/tests/flows"
work=$(mktemp -d)
mark=$(basename "$0" .sh)-$$-$RANDOM
failed=0

# The processes that bear the mark; the dead that nobody has waited for do not count.
marked() {
  local file
  for file in /proc/[0-9]*/environ; do
    if grep -qzx "TENKAI_FLOW=$mark" "$file" 2>/dev/null; then
      file=${file#/proc/}
      echo "${file%/environ}"
    fi
  done
}

nothing_is_left() { [ -z "$(marked)" ]; }

# What is left, for the one who reads why a check failed.
show_left() {
  local pid
  for pid in $(marked); do
    echo "    $pid ($(awk '/^State/ {print $2}' "/proc/$pid/status" 2>/dev/null)): $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-120)"
  done
}

clean_up() {
  local status=$? pid
  if [ "$status" != 0 ] && [ -s "$work/output" ]; then
    echo "what the processes wrote:"
    tail -n 40 "$work/output" | sed 's/^/    /'
  fi
  for _ in 1 2 3; do
    for pid in $(marked); do kill -KILL "$pid" 2>/dev/null || true; done
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# start COMMAND...: in the background, marked; its pid is in $started.
start() {
  TENKAI_FLOW=$mark "$@" >>"$work/output" 2>&1 </dev/null &
  # shellcheck disable=SC2034 # for who sources this
  started=$!
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local until=$(($(date +%s%N) + $1 * 1000000000))
  shift
  while ! "$@"; do
    [ "$(date +%s%N)" -lt "$until" ] || return 1
    sleep 0.1
  done
}

# check SENTENCE COMMAND...: a line that says whether it is so.
check() {
  local sentence=$1
  shift
  if "$@"; then
    echo "ok: $sentence"
  else
    echo "NOT OK: $sentence"
    failed=1
  fi
}

# An R script of this folder, whose checks are lines of its own.
run_r() {
  local status=0
  TENKAI_FLOW=$mark Rscript --vanilla "$1" "$work" </dev/null || status=$?
  [ "$status" = 0 ] || failed=1
}

# run_r_beside SCRIPT [COMMAND...]: while others run, by a command; finish_beside waits
# for it, and shows its checks.
run_r_beside() {
  local script=$1
  shift
  TENKAI_FLOW=$mark "$@" Rscript --vanilla "$script" "$work" </dev/null >"$work/beside.out" 2>&1 &
  beside=$!
}
finish_beside() {
  wait "$beside" || failed=1
  cat "$work/beside.out"
}

# run_document FILE SECONDS: the examples of a document, in a folder of its own; a line for
# each of them.
run_document() {
  local folder status=0
  folder=$(mktemp -d "$work/document.XXXXXX")
  (cd "$folder" && TENKAI_FLOW=$mark timeout -k 10 "$2" \
    Rscript --vanilla "$root/tests/documents.R" "$1" </dev/null) || status=$?
  [ "$status" -lt 124 ] || echo "NOT OK: $(basename "$1") ends within $2 s"
  return "$status"
}

# The last line of a flow.
finish() { exit "$failed"; }
