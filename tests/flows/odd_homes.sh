#!/usr/bin/env bash
# Homes and folders that are not as they should be: a temporary folder without room, a
# path with letters that the locale does not know, many daemons for few processors, a URL
# to which nobody comes.
# time limit: 240 s
. "$(dirname "$0")/common.sh"

mkdir "$work/full" "$work/hömä"
cp -r "$(echo "$R_LIBS" | cut -d : -f 1)" "$work/hömä/lib"
cp "$TENKAI_BIN" "$work/hömä/tenkai"

# In a mount namespace of its own, so that nothing stays mounted whatever happens.
as_root=(unshare --mount)
[ "$(id -u)" = 0 ] || as_root=(unshare --map-root-user --user --mount)
# shellcheck disable=SC2016 # expanded by the inner shell
"${as_root[@]}" sh -c '
  mount -t tmpfs -o size=64k full "$1/full" && head -c 100000 /dev/zero >"$1/full/all" 2>/dev/null
  exec Rscript --vanilla odd_homes.R "$1" full' sh "$work" || failed=1
printf 'profiles: {two: {daemons: 2}}\n' >"$work/hömä/tenkai.yaml"
HOME="$work/hömä" LC_ALL=C R_LIBS="$work/hömä/lib" TENKAI_BIN="$work/hömä/tenkai" \
  TENKAI_CONFIG="$work/hömä/tenkai.yaml" Rscript --vanilla odd_homes.R "$work" umlaut || failed=1
Rscript --vanilla odd_homes.R "$work" waits || failed=1
finish
