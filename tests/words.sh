#!/bin/sh
# Holds a rule of wording: no sentence of a comment or a document begins with a bare "Of", since
# who reads it has to come back to its beginning.
set -eu
cd "$(dirname "$0")/.."

is_bare='(^|[.:] |(//|#|#'"'"'|^) +)Of [a-z`]'
sources() { git ls-files '*.h' '*.cpp' '*.c' '*.R' '*.Rd' '*.Rmd' '*.sh' '*.py' '*.md' | grep -v '^tests/words.sh$'; }

# A check that finds nothing may be blind.
if [ "$(printf '// Of one.\n  # Of two.\nA sentence. Of three.\n' | grep -cE "$is_bare")" != 3 ]; then
  echo "a sentence that begins with Of is not found" >&2
  exit 1
fi
if sources | xargs grep -nE "$is_bare" /dev/null; then
  echo 'Say what it is about first, in place of "Of ..."' >&2
  exit 1
fi
