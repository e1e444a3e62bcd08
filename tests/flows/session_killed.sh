#!/usr/bin/env bash
# The session is killed: whatever its daemons do, nothing of ours remains.
# time limit: 120 s
. "$(dirname "$0")/common.sh"

start Rscript --vanilla session_killed.R "$work"
session=$started
begun() { [ -e "$work/ready" ] || ! [ -d "/proc/$session" ]; }
check "the session has its daemons" wait_for 60 begun
count=$(marked | wc -l)
# The session; three dispatchers; four local daemons and an ephemeral one; two
# agents with an R each; and the two `sleep` of system().
check "at least 15 processes are there ($count)" [ "$count" -ge 15 ]

kill -KILL "$session" || finish
wait "$session" 2>/dev/null || true
check "10 s later nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
