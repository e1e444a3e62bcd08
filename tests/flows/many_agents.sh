#!/usr/bin/env bash
# 32 agents dial wss:// at the same moment, and all of them join: 20 times in a row,
# and once with an R behind each.
# time limit: 400 s
. "$(dirname "$0")/common.sh"

TENKAI_FLOW_VERSION=$("$TENKAI_BIN" --version | grep -o '[0-9][0-9.]*' | head -n 1)
export TENKAI_FLOW_VERSION
run_r many_agents.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
