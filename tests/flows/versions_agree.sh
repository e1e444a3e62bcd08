#!/bin/sh
# The version stands in CMakeLists.txt; the R package must bear the same.
set -eu
cd "$(dirname "$0")/../.."

cmake=$(sed -n 's/^project(tenkai VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
package=$(sed -n 's/^Version: *//p' r/DESCRIPTION)
if [ -z "$cmake" ] || [ "$cmake" != "$package" ]; then
  echo "CMakeLists.txt says version '$cmake', r/DESCRIPTION '$package'" >&2
  exit 1
fi
program=$("${TENKAI_BIN:-build/bin/tenkai}" --version)
case "$program" in
  *"$cmake"*) ;;
  *) echo "CMakeLists.txt says version '$cmake', the program '$program'" >&2; exit 1 ;;
esac

# And the plugin that docs/plugins.md shows is the one that is tested.
sed -n '/^```python$/,/^```$/p' docs/plugins.md | sed '1d;$d' | cmp - tests/data/plugins/tenkai-plugin-tiny

# The R package takes no program of another MAJOR.MINOR, however it is named.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/prefix/bin" "$work/r"
cp r/configure r/DESCRIPTION "$work/r"
# takes VERSION: none is a program that fails.
takes() {
  printf '#!/bin/sh\n[ -n "%s" ] || exit 3\necho "%s"\n' "$1" "$1" >"$work/prefix/bin/tenkai"
  chmod +x "$work/prefix/bin/tenkai"
  (cd "$work/r" && TENKAI_PREFIX=$work/prefix ./configure) >"$work/log" 2>&1
}
for version in "$cmake" "${cmake%.*}.999"; do
  takes "$version" || { cat "$work/log" >&2; echo "the package refuses the program $version" >&2; exit 1; }
  [ "$(cat "$work/r/inst/program")" = "$work/prefix/bin/tenkai" ]
done
for version in "999.$cmake" "${cmake%.*}9.0" ""; do
  if takes "$version"; then echo "the package takes the program '$version'" >&2; exit 1; fi
  if [ -e "$work/r/inst/program" ]; then echo "and records '$version'" >&2; exit 1; fi
  grep -qF "this package is $cmake" "$work/log"
done
