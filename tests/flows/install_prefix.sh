#!/bin/sh
# An installation can be moved, and an ordinary user can build the R package
# against it with a compiler alone.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
prefix="$work/a prefix elsewhere"

fail() { echo "$1" >&2; exit 1; }

# As `nobody` where we are root, with a home of its own; else as who we are.
mkdir "$work/home"
as_user() {
  if [ "$(id -u)" = 0 ]; then
    chown -R 65534:65534 "$work/home"
    setpriv --reuid=65534 --regid=65534 --clear-groups \
      env -i HOME="$work/home" PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 "$@"
  else
    env -i HOME="$work/home" PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 "$@"
  fi
}

version=$(sed -n 's/^project(tenkai VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
cmake --install build --prefix "$work/first" >/dev/null
mv "$work/first" "$prefix"
if grep -rIl -e "$work/first" -e "$root" "$prefix"; then fail "these files hold a path of this machine"; fi

echo "the program runs where it was moved to"
"$prefix/bin/tenkai" --version | grep -qF "$version" || fail "bin/tenkai --version does not say $version"

echo "manual pages and completion are where they are looked for"
for file in man/man1/tenkai.1 man/man1/tenkai-status.1 bash-completion/completions/tenkai \
  zsh/site-functions/_tenkai fish/vendor_completions.d/tenkai.fish; do
  [ -s "$prefix/share/$file" ] || fail "share/$file is not there"
done
[ -s "$prefix/share/tenkai/modulefiles/tenkai/$version" ] || fail "there is no module file"
if command -v man >/dev/null; then
  page=$(PATH="$prefix/bin:$PATH" man tenkai-status 2>&1) || fail "man finds no page: $page"
fi

echo "its programs take no library from the working directory"
tests/runpaths.sh "$prefix"

echo "pkg-config finds it"
found=$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --modversion tenkai)
[ "$found" = "$version" ] || fail "pkg-config says version $found, not $version"
plugins=$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --variable=plugindir tenkai | tr -d '\134')
[ -d "$plugins" ] || fail "the plugin folder of pkg-config, $plugins, is not there"
for plugin in command mpi slurm ssh; do
  "$prefix/bin/tenkai" plugin "$plugin" </dev/null || fail "the plugin $plugin does not run from there"
done

echo "another CMake project finds it"
mkdir "$work/project"
cat >"$work/project/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.25)
project(uses_tenkai NONE)
find_package(tenkai ${wanted} REQUIRED)
get_target_property(program tenkai::tenkai IMPORTED_LOCATION)
execute_process(COMMAND "${program}" --version COMMAND_ERROR_IS_FATAL ANY)
if(NOT IS_DIRECTORY "${tenkai_DATA_DIR}/templates" OR NOT IS_DIRECTORY "${tenkai_PLUGIN_DIR}")
  message(FATAL_ERROR "its folders are missing: ${tenkai_DATA_DIR}, ${tenkai_PLUGIN_DIR}")
endif()
PROJECT
cmake -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$prefix" -Dwanted="${version%.*}" \
  >"$work/project.log" 2>&1 || { cat "$work/project.log"; fail "find_package(tenkai) failed"; }

echo "an ordinary user builds the R package against it"
cp -RL "$prefix/share/tenkai/r" "$work/home/r"
mkdir "$work/home/library"
as_user TENKAI_PREFIX="$prefix" R CMD INSTALL --library="$work/home/library" "$work/home/r" >"$work/r.log" 2>&1 ||
  { cat "$work/r.log"; fail "R CMD INSTALL failed"; }

tests/runpaths.sh "$work/home/library"

echo "and uses it"
answer=$(cd "$work/home" && as_user R_LIBS="$work/home/library" timeout 60 Rscript -e '
  library(tenkai)
  invisible(daemons(1))
  m <- mirai(Sys.getpid())
  there <- call_mirai(m)$data
  invisible(daemons(0))
  # By a plugin of the installation.
  invisible(daemons(1, url = "wss://127.0.0.1:0", remote = remote_config("env", ".", quote = FALSE)))
  there <- c(there, call_mirai(mirai(Sys.getpid()))$data)[2L]
  invisible(daemons(0))
  cat(is.integer(there) && there != Sys.getpid())')
[ "$answer" = TRUE ] || fail "a mirai against the installed program gave '$answer'"
