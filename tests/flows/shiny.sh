#!/usr/bin/env bash
# examples/shiny in a real browser without a screen: one button starts work in C code,
# the other stops it, and the processor is free within a second.
# time limit: 240 s
. "$(dirname "$0")/common.sh"

browser=${CHROMIUM:-$(command -v chromium || true)}
new_enough='quit(status = !(requireNamespace("shiny", quietly = TRUE) && packageVersion("shiny") >= "1.8.1"))'
if [ -z "$browser" ] || ! Rscript --vanilla -e "$new_enough"; then
  echo "skipped: chromium, or the R package shiny (1.8.1 or newer), is not installed"
  exit 0
fi

# Work that would take hours: nothing here depends on how fast the machine is.
start env STEPS=1e13 Rscript --vanilla -e '
  app <- commandArgs(TRUE)
  options(shiny.port = NULL, shiny.launch.browser = function(url) writeLines(url, app[2]))
  shiny::runApp(app[1])' ../../examples/shiny "$work/url"
check "the app is there" wait_for 60 [ -s "$work/url" ]
[ -s "$work/url" ] || finish

TENKAI_FLOW=$mark python3 shiny_browser.py "$browser" "$(cat "$work/url")" "$work" | tee "$work/checks"
check "the browser has seen all" grep -q '^ok:   and is stopped, too' "$work/checks"
check "nothing failed there" bash -c "! grep -q '^NOT OK' '$work/checks'"
kill "$started"
check "nothing is left when the session has gone" wait_for 60 nothing_is_left
finish
