#!/usr/bin/env bash
# How many system calls and wake-ups a task takes, of the dispatcher and a daemon.
# time limit: 120 s
. "$(dirname "$0")/common.sh"

if ! strace -c -o "$work/summary" true 2>/dev/null; then
  echo "skipped: strace is not installed, or may not look at processes here"
  exit 0
fi
run_r system_calls.R
finish
