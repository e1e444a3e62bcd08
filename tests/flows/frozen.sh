#!/usr/bin/env bash
# A frozen R whose agent answers is busy; a frozen node is suspect, and its task is
# handed on; what it says when it thaws is discarded.
# time limit: 180 s
. "$(dirname "$0")/common.sh"

run_r frozen.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
