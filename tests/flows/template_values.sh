#!/usr/bin/env bash
# 100,000 values through templates, on lines of sbatch and of the shell: each arrives as
# it is or is refused, none adds an option, and none is run.
# time limit: 120 s
. "$(dirname "$0")/common.sh"

export FILL_TEMPLATE=${FILL_TEMPLATE:-${TENKAI_BIN%/bin/tenkai}/tests/fill_template}
python3 template_values.py "$work" || failed=1
finish
