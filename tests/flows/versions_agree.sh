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
