#!/usr/bin/env bash
# The dispatcher is killed: every mirai resolves, the daemons end, and the session
# goes on.
# time limit: 120 s
. "$(dirname "$0")/common.sh"

run_r dispatcher_killed.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
