#!/usr/bin/env bash
# The fake Slurm of tests/slurm/fake: that it plays its script, and that it reads
# scripts of jobs as the real one does, where there is a real one.
# time limit: 90 s
. "$(dirname "$0")/common.sh"
trap 'FAKE_SLURM=$work/play ../slurm/fake/fake_slurm stop; clean_up' EXIT

TENKAI_FLOW=$mark python3 -B slurm_fake.py "$root/tests/slurm/fake" "$work" </dev/null || failed=1
check "nothing of ours is left" wait_for 5 nothing_is_left
nothing_is_left || show_left
finish
