#!/bin/sh
# Has ShellCheck read each shell script, with the settings of .shellcheckrc. What
# templates/ holds are no scripts before they are filled in; those that tests fill in,
# tests/data/templates, are read. --list only prints their names.
set -eu
cd "$(dirname "$0")/.."

command -v shellcheck >/dev/null || { echo "skipped: there is no shellcheck here"; exit 0; }

# Known by their first line, or by a name that says so where they are only sourced. What is built
# beside this comes and goes.
found=$(find . \( -name .git -o -path './build*' -o -path ./templates -o -path ./tests/data/fuzz \
    -o -name '*.Rcheck' -o -name '*.o' -o -name '*.so' \) -prune -o -type f -exec env LC_ALL=C awk '
  FILENAME ~ /[.]sh$/ || /^#!.*[/ ](ba|da|k)?sh( |$)/ { print FILENAME }
  { nextfile }
' {} +) || { echo "not all files could be read" >&2; exit 1; }
if [ "${1-}" = --list ]; then echo "$found"; exit; fi

# A check that finds nothing may be blind.
planted='#!/bin/sh
rm $1'
if echo "$planted" | shellcheck - >/dev/null; then
  echo "shellcheck does not complain of a bare \$1" >&2
  exit 1
fi
count=$(echo "$found" | wc -l)
if [ "$count" -lt 60 ]; then
  echo "only $count scripts were found: how they are looked for is broken" >&2
  exit 1
fi
echo "$found" | tr '\n' '\0' | xargs -0 -n 16 -P 2 shellcheck
