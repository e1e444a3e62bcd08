#!/bin/bash
# The R package, from the source that comes with the programs: R compiles beside it, so in a copy.
set -euo pipefail

rm -rf build-conda-r
cp -RL "$PREFIX/share/tenkai/r" build-conda-r
# shellcheck disable=SC2086 # none, or several
TENKAI_PREFIX="$PREFIX" R CMD INSTALL --build build-conda-r ${R_ARGS-}
