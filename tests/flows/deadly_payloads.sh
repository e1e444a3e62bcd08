#!/usr/bin/env bash
# A daemon that is not ours at heart answers with bytes that end R, or run code in
# it: the session goes on, and says what it was given.
# time limit: 300 s
. "$(dirname "$0")/common.sh"

version=$("$TENKAI_BIN" --version | grep -o '[0-9][0-9.]*' | head -n 1)
export TENKAI_FLOW_VERSION=$version
run_r deadly_payloads.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
