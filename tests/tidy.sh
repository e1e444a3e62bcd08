#!/bin/sh
# Holds .clang-tidy, as clang-tidy 14 of Debian 12 reads it: each version finds other things,
# so with another one nothing is checked, which it says. A file takes some 8 s:
#
#   tests/tidy.sh            the sources that were changed last: those that differ from the
#                            last commit, and those of the last commits, 20 in all
#   tests/tidy.sh --edited   those that differ from the last commit
#   tests/tidy.sh --all      all of them
#
# In build several sources are compiled at once; so it is told of each by a folder that is
# configured for it and never built.
set -eu
cd "$(dirname "$0")/.."

version=$(clang-tidy --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p' | head -n 1)
if [ "$version" != 14 ]; then
  echo "skipped: the sources are read by clang-tidy 14, here is ${version:-none}"
  exit 0
fi
folder=build/tidy
mkdir -p "$folder"
cmake --preset release -B "$folder" -DTENKAI_UNITY=OFF >"$folder/configure.log" 2>&1 ||
  { cat "$folder/configure.log" >&2; exit 1; }

# Those that the build folder has no command for are compiled by others: R, or mpicc.
known() {
  while read -r file; do
    if [ -f "$file" ] && grep -qF "/$file\"" "$folder/compile_commands.json"; then echo "$file"; fi
  done
}
sources() {
  case "${1-}" in
    --all) git ls-files ;;
    --edited) git diff --name-only HEAD ;;
    *) { git diff --name-only HEAD; git log --name-only --format=; } | awk '!seen[$0]++' ;;
  esac | grep -E '\.cpp$' | grep -vE '^(tests|r|bench)/' | known |
    if [ "${1-}" = '' ]; then head -n 20; else cat; fi
}

# A check that finds nothing may be blind.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
cp .clang-tidy "$planted"
printf '#include <string>\nint f(const std::string& s) { return s.size() == 0; }\n' >"$planted/planted.cpp"
if clang-tidy --quiet "$planted/planted.cpp" -- -std=c++20 >/dev/null 2>&1; then
  echo "clang-tidy does not complain of size() == 0" >&2
  exit 1
fi

# shellcheck disable=SC2016 # for the shells that xargs starts
if ! sources "$@" | FOLDER=$folder xargs -r -P 2 -I FILE sh -c '
  said=$(clang-tidy -p "$FOLDER" --quiet FILE 2>&1) || { printf "%s\n" "$said"; exit 1; }'; then
  exit 1
fi
