#!/bin/bash
# The programs: conda-build sets PREFIX, and runs this at the top of the sources.
set -euo pipefail

# shellcheck disable=SC2086 # CMAKE_ARGS, which conda's compiler sets, is a list of words
cmake -S . -B build-conda -G Ninja ${CMAKE_ARGS-} -DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_BUILD_TYPE=Release \
  -DTENKAI_TESTS=OFF -DTENKAI_BENCH=OFF -DTENKAI_SSH=ON -DTENKAI_MPI=OFF
cmake --build build-conda --target programs
cmake --install build-conda
