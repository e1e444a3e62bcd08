#!/bin/sh
# Holds two rules of wording: no sentence of a comment or a document begins with a bare "Of", since
# who reads it has to come back to its beginning; and lines of documents, but for tables and code,
# are at most 100 characters long.
set -eu
cd "$(dirname "$0")/.."

is_bare='(^|[.:] |(//|#|#'"'"'|^) +)Of [A-Za-z`]'
sources() { git ls-files | grep -vE '^tests/words\.sh$|\.(rds|png|svg|bin)$'; }

# mawk counts bytes, grep characters.
long_lines() {
  awk 'FNR == 1 { code = 0 } /^ *```/ { code = !code } !code && !/^ *[|`]/ { print FILENAME ":" FNR ":" $0 }' \
    "$@" | LC_ALL=C.UTF-8 grep -oE '^[^:]*:[0-9]*:.{101,}'
}

# A check that finds nothing may be blind.
if [ "$(printf '// Of one.\n  # Of two.\nA sentence. Of three.\n# Of R four.\n' |
  grep -cE "$is_bare")" != 4 ]; then
  echo "a sentence that begins with Of is not found" >&2
  exit 1
fi
planted=$(mktemp)
trap 'rm -f "$planted"' EXIT
printf '%101s\n```\n%101s\n```\n|%101s\n%100s\n' x x x x >"$planted"
if [ "$(long_lines "$planted" | wc -l)" != 1 ]; then
  echo "a long line is not found, or one of a table or of code is" >&2
  exit 1
fi

if sources | xargs grep -InE "$is_bare" /dev/null; then
  echo 'Say what it is about first, in place of "Of ..."' >&2
  exit 1
fi
# shellcheck disable=SC2046 # names of ours, without blanks
if long_lines $(git ls-files '*.md'); then
  echo 'These lines are longer than 100 characters' >&2
  exit 1
fi
