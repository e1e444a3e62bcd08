#!/usr/bin/env bash
# Patch versions work together: R, dispatcher and agents of this version and of its
# neighbour, each with each. A program of another release is refused, and says why.
# time limit: 240 s
. "$(dirname "$0")/common.sh"

folder=$(dirname "$(dirname "$TENKAI_BIN")")
export TENKAI_FLOW_NEIGHBOUR=$folder/tests/neighbour/bin/tenkai
export TENKAI_FLOW_STRANGER=$folder/tests/stranger/bin/tenkai
export TENKAI_FLOW_OWN=$TENKAI_BIN

version_of() { "$1" --version | grep -o '[0-9][0-9.]*' | head -n 1; }
own=$(version_of "$TENKAI_BIN")
check "the neighbour is of the same release" [ "$(version_of "$TENKAI_FLOW_NEIGHBOUR" | cut -d. -f1,2)" = "${own%.*}" ]
check "  and of another version" [ "$(version_of "$TENKAI_FLOW_NEIGHBOUR")" != "$own" ]
TENKAI_FLOW_VERSION=$(version_of "$TENKAI_FLOW_STRANGER")
export TENKAI_FLOW_VERSION

echo "# R and agents of this version, a dispatcher of its neighbour"
TENKAI_BIN=$TENKAI_FLOW_NEIGHBOUR run_r neighbours.R
echo "# R and the dispatcher of this version, agents of its neighbour"
TENKAI_FLOW_AGENT=$TENKAI_FLOW_NEIGHBOUR run_r neighbours.R
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
