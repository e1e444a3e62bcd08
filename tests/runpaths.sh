#!/bin/sh
# runpaths.sh FOLDER: no program or library below takes a library from the working
# directory, which an empty or a relative name in a RUNPATH means, nor from a neighbour of
# the folder.
set -eu
export LC_ALL=C

# The path that `readelf -d` has shown on standard input; nothing where there is none.
runpath() { sed -n 's/.*(R\(UN\)\{0,1\}PATH)[^[]*\[\(.*\)\]$/\2/p'; }

# Whether a path that begins at the program's folder, the second argument, stays below the
# folder that is looked through.
stays() {
  printf '%s\n' "$1" | tr ':' '\n' | while read -r name; do
    case $(realpath -m "$(printf '%s\n' "$name" | sed "s,^\$ORIGIN,$2,")") in
      "$top"/*) ;; *) case $name in "\$ORIGIN"*) exit 1 ;; esac ;;
    esac
  done
}

is_safe() {
  case ":$1:" in *::*) return 1 ;; esac
  ! printf '%s\n' "$1" | tr ':' '\n' | grep -q -v -e '^/' -e '^\$ORIGIN'
}

# That the check itself works.
for bad in '' ':' '/usr/lib:' ':/usr/lib' '/usr/lib::/lib' 'lib' '/lib:../lib'; do
  if is_safe "$bad"; then echo "'$bad' is thought safe"; exit 1; fi
done
is_safe '$ORIGIN/../lib:/opt/a b/lib'
shown=' 0x000000000000001d (RUNPATH)            Library runpath: [:/lib:]'
[ "$(echo "$shown" | runpath)" = ':/lib:' ]

top=$(realpath "$1")
stays '$ORIGIN/../lib:/usr/lib' "$top/bin"
if stays '/usr/lib:$ORIGIN/../../lib' "$top/bin"; then echo "a neighbour is thought safe"; exit 1; fi

looked=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT
find "$top" -type f \( -perm -u+x -o -name '*.so' -o -name '*.so.*' \) >"$list"
while read -r file; do
  dynamic=$(readelf -d "$file" 2>/dev/null) || continue
  case "$dynamic" in *'(NEEDED)'*) looked=$((looked + 1)) ;; esac
  case "$dynamic" in *PATH\)*) ;; *) continue ;; esac
  path=$(printf '%s\n' "$dynamic" | runpath)
  stays "$path" "$(dirname "$file")" || { echo "$file takes libraries from beside $top: RUNPATH [$path]"; exit 1; }
  is_safe "$path" || { echo "$file takes libraries from the working directory: RUNPATH [$path]"; exit 1; }
done <"$list"
[ "$looked" -gt 0 ] || { echo "no program below $top"; exit 1; }
echo "ok: $looked programs and libraries"
