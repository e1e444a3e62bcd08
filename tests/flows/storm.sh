#!/usr/bin/env bash
# Daemons are killed again and again while tasks run, and come back by themselves: every
# task is answered, and each by its own value.
# time limit: 180 s
. "$(dirname "$0")/common.sh"

run_r storm.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
