#!/usr/bin/env bash
# The tests that package mirai ships, unedited, on the package mirai of tenkai. Those that
# are known to fail are in own_tests.tsv, each with the reason. The source comes from where
# R installs packages from; R_LIBS names a library with promises and nanonext in front of
# that with tenkai.
# time limit: 900 s
. "$(dirname "$0")/../flows/common.sh"
tested=2.7.3

if ! Rscript --vanilla ../carry/fetch.R mirai "$tested" "$work" >"$work/output" 2>&1; then
  cat "$work/output"
  echo "skipped: the source of mirai $tested cannot be had here"
  exit 0
fi
cd "$work"
TENKAI_FLOW=$mark NOT_CRAN=true Rscript --vanilla -e 'invisible(tenkai::use_as_mirai())' \
  -e "source('$root/tests/carry/own_tests.R')" "$work/mirai/tests/tests.R" \
  "$root/tests/carry/own_tests.tsv" </dev/null || failed=1
check "no process is left" wait_for 20 nothing_is_left
finish
