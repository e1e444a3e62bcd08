#!/bin/sh
# Holds the floors of ARCHITECTURE.md: a file includes only from its own room and
# from floors below it, so rooms on one floor do not know each other. And the rule
# of CONTRIBUTING.md that coroutines live in wire/ alone.
set -eu
export LC_ALL=C

rooms='base|wire|process|scheduler|agent|launcher|plugins|cli'

# A room, and an expression for what its files may include of ours.
floors() {
  low='base/|wire/|process/'
  echo "base       base/"
  echo "wire       base/|wire/"
  echo "process    base/|process/"
  echo "scheduler  $low|scheduler/"
  echo "agent      $low|agent/"
  allowed="$low|scheduler/"
  for room in profile template view plugin; do
    allowed="$allowed|launcher/$room/"
    echo "launcher/$room $allowed"
  done
  for room in launch bring doctor; do echo "launcher/$room $allowed|launcher/$room/"; done
  echo "launcher   $low|scheduler/|launcher/"
  echo "plugins    $allowed|plugins/"
  echo "cli        $low|scheduler/|agent/|launcher/|plugins/|cli/"
  echo "r/src      base/(autoexit|bytes|error_code|frame|frame_reader|parcel|r_call|random_stream|result|shared_blocks|text|url|version)\.h"
}

files_of() { find -L "$1" -name '*.h' -o -name '*.cpp' -o -name '*.c'; }

# Prints each line below the folder $1 that breaks a rule.
violations() {
  cd "$1"
  floors | while read -r room allowed; do
    [ -d "$room" ] || continue
    files_of "$room" | xargs -r grep -HnE "^ *# *include *(\"[^\"]*/|<($rooms)/)" |
      grep -vE "# *include *[\"<]($allowed)" || true
    [ "$room" = wire ] && continue
    files_of "$room" | xargs -r grep -HnE '^[^/]*\bco_(await|return|yield|spawn)\b' || true
  done
}

# A check that finds nothing may be blind: it must see what is planted for it, and
# no more than that.
check_itself() {
  planted=$(mktemp -d)
  trap 'rm -rf "$planted"' EXIT
  mkdir -p "$planted/base" "$planted/wire" "$planted/cli" "$planted/r/src" "$planted/launcher/view" "$planted/launcher/bring"
  printf '#include "base/url.h"\n#include "wire/dial.h"\n' >"$planted/base/one.cpp"
  printf '#include <process/spawn.h>\n#include <boost/asio.hpp>\nco_await read;\n' >"$planted/wire/two.h"
  printf '#include "wire/dial.h"\n// co_await is not for here\nco_await read;\n' >"$planted/cli/three.cpp"
  printf '#include "base/frame.h"\n#include "base/clock.h"\n#include "link.h"\n' >"$planted/r/src/four.cpp"
  printf '#include "../agent/agent.h"\n' >"$planted/cli/five.cpp"
  printf '#include "launcher/profile/file.h"\n#include "launcher/launch/launch.h"\n' >"$planted/launcher/view/six.cpp"
  printf '#include "launcher/plugin/job.h"\n#include "launcher/doctor/check.h"\n' >"$planted/launcher/bring/seven.cpp"
  found=$(violations "$planted" | cut -d: -f1,2 | sort | tr '\n' ' ')
  expected='base/one.cpp:2 cli/five.cpp:1 cli/three.cpp:3 launcher/bring/seven.cpp:2 launcher/view/six.cpp:2 r/src/four.cpp:2 wire/two.h:1 '
  [ "$found" = "$expected" ] && return
  echo "floors.sh does not see what it should: expected $expected, found $found" >&2
  exit 1
}

check_itself
broken=$(violations "$(cd "$(dirname "$0")/.." && pwd)")
[ -z "$broken" ] && exit 0
echo "$broken"
echo "These lines break the floors of ARCHITECTURE.md, or use coroutines outside wire/." >&2
exit 1
