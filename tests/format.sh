#!/bin/sh
# Holds .clang-format. Each version of clang-format lays some lines out differently, so
# only that of Debian 12 is asked; with another one nothing is checked, which it says.
set -eu
cd "$(dirname "$0")/.."

version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$version" != 14 ]; then
  echo "skipped: the sources are laid out by clang-format 14, here is ${version:-none}"
  exit 0
fi

# Links, as those of r/src, are files of elsewhere.
sources() {
  find . \( -name .git -o -path './build*' -o -name '*.Rcheck' \) -prune -o \
    -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.c' \) -print0
}

# A check that finds nothing may be blind.
if printf 'int  two_spaces;\n' | clang-format --dry-run -Werror --assume-filename=planted.cpp 2>/dev/null; then
  echo "clang-format does not complain of two spaces" >&2
  exit 1
fi
sources | xargs -0 clang-format --dry-run -Werror && exit 0
echo "Lay these files out with: clang-format -i FILE" >&2
exit 1
