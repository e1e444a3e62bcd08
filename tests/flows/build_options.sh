#!/bin/sh
# The options of the build, in their positions: what is left out is said, by CMake, by
# `tenkai version` and by `tenkai plugins`; what is asked for and is not there is an error.
# time limit: 1800 s
set -eu
cd "$(dirname "$0")/../.."
root=$PWD

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed=0
check() {
  sentence=$1
  shift
  if "$@"; then echo "ok: $sentence"; else echo "NOT OK: $sentence" && failed=1; fi
}

# configure FOLDER OPTIONS...: what CMake says is in configured.
configure() {
  folder=$1
  shift
  cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
    -DTENKAI_TESTS=OFF -DTENKAI_BENCH=OFF -DTENKAI_WERROR=ON "$@" >"$work/configured" 2>&1
}
# CMake breaks long lines.
says() { tr -s ' \n' '  ' <"$work/$1" | grep -qF -- "$2"; }
fails() { ! "$@"; }

echo "what is asked for must be there"
# Here pkg-config finds nothing at all.
mkdir "$work/nothing"
configure_without() { PKG_CONFIG_LIBDIR=$work/nothing configure "$@"; }
check "TENKAI_SSH=ON without libssh2 is an error" fails configure_without "$work/no_ssh" -DTENKAI_SSH=ON
check "  which says what is missing" says configured "libssh2 was not found"
check "TENKAI_MPI=ON without MPI is an error" \
  fails configure "$work/no_mpi" -DTENKAI_MPI=ON -DCMAKE_DISABLE_FIND_PACKAGE_MPI=TRUE
check "  which says what is missing" says configured "it takes Open MPI 4, and no MPI was found"
check "without both, AUTO goes on" \
  configure_without "$work/neither" -DCMAKE_DISABLE_FIND_PACKAGE_MPI=TRUE
check "  and says so" says configured "Without TENKAI_SSH: libssh2 was not found"

echo "what is not wanted is left out"
# It stays there, so that it is built once, and then what has changed.
off=$root/build/without
check "OFF is configured" configure "$off" -DTENKAI_SSH=OFF -DTENKAI_MPI=OFF
if ! cmake --build "$off" --target programs >"$work/build.log" 2>&1; then
  tail -n 30 "$work/build.log"
  check "OFF is built" false
  exit 1
fi
check "tenkai-mpi-spawn is not built" [ ! -e "$off/libexec/tenkai/tenkai-mpi-spawn" ]
"$off/bin/tenkai" version --json >"$work/version"
check "version says what it was built without" says version '"lacks":["libssh2","Open MPI"]'
"$off/bin/tenkai" plugins >"$work/plugins"
check "plugins says what that means for ssh" says plugins "ssh: no libssh2: hosts are reached by the OpenSSH client alone"
check "  and for mpi" says plugins "mpi: no tenkai-mpi-spawn: tenkai was built without Open MPI 4"
check "nothing of libssh2 is linked" fails sh -c "ldd '$off/bin/tenkai' | grep -q libssh2"

# The build that is tested has what this machine has, so that can be asked for, too.
"${TENKAI_BIN:-build/bin/tenkai}" version --json >"$work/version"
if pkg-config --exists libssh2; then
  check "where libssh2 is, AUTO has it" fails says version '"lacks":["libssh2"'
  check "  and ON does" configure "$work/with_ssh" -DTENKAI_SSH=ON
fi
if ! says version '"Open MPI"]'; then
  check "where Open MPI 4 is, ON has it" configure "$work/with_mpi" -DTENKAI_MPI=ON
fi
exit "$failed"
