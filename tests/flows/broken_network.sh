#!/usr/bin/env bash
# The network breaks between TLS daemons and their dispatcher: they come back without
# their credential, which is used up, and carry on with what they were at.
# time limit: 180 s
. "$(dirname "$0")/common.sh"

run_r broken_network.R
rm -rf "$work/first" "$work/second"
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
