#!/bin/sh
# What a user meets who installs tenkai on a machine with next to nothing: roots of Debian made
# for this, an ordinary user whose home has a space and an umlaut, no network once the packages
# are there. Takes some ten minutes, and is not part of scripts/test:
#
#   tests/bare_roots.sh [FOLDER]      where the roots are made and stay; build/roots, if not said
set -eu
cd "$(dirname "$0")/.."
. tests/in_roots.sh

prepare() {
  make_root "$1" "$roots/$1"
  bring "$1" "$roots"/release/*
  new_home "$1"
}

scripts/install-packages --for roots
mkdir -p "$roots/release"
scripts/static "$roots/static"
cp "$roots"/static/tenkai-*-linux "$roots/static/SHA256SUMS" "$roots/release/"
TENKAI_VIGNETTES=no scripts/r-package "$roots/release"
program=$(cd "$roots/release" && echo tenkai-*-linux)

# --- the program of one file ---

is_static() { ! readelf -d "$1" 2>/dev/null | grep -q NEEDED; }
check "the program of one file needs no library" is_static "$roots/release/$program"
check "  and has at most 15 MiB" [ "$(stat -c %s "$roots/release/$program")" -le 15728640 ]
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$again"
(cd "$again" && scripts/static >/dev/null)
check "made again, elsewhere, it is the same to the last bit" cmp "$roots/release/$program" "$again/build-static/$program"

# A release that is older than the one it is made on, and has no R.
prepare bullseye
runs() { as_user "$1" "/media/release/$program --version && /media/release/$program plugin ssh </dev/null"; }
check "it runs on Debian 11, without R" runs bullseye

# --- R and nothing else ---

answers='library(tenkai); daemons(2); stopifnot(identical(mirai(21 * 2)[], 42)); daemons(0)'
library='export R_LIBS_USER="$HOME/R"; mkdir -p "$R_LIBS_USER"'
install='MAKEFLAGS=-j2 R CMD INSTALL --library="$R_LIBS_USER" /media/release/tenkai_*.tar.gz'

prepare bookworm
packages bookworm "r-base-core g++ make"
# What a run before has installed for the package alone.
in_root bookworm "apt-get -qq purge -y libboost1.81-dev libcli11-dev libspdlog-dev >/dev/null 2>&1 || true"
without() { as_user bookworm "$library; $install 2>&1 | tee install.log; grep -q 'install_program(from = FILE)' install.log"; }
started=$(date +%s)
check "where nothing can be built the package is installed, and says what to do" without
first_answer() {
  as_user bookworm "$library; Rscript --vanilla -e '.libPaths(Sys.getenv(\"R_LIBS_USER\")); tenkai::install_program(\"/media/release/$program\"); $answers'"
}
check "install_program() is enough for the first answer" first_answer
echo "the first answer came after $(($(date +%s) - started)) s"

# --- the package alone ---

packages bookworm "libboost1.81-dev libcli11-dev libspdlog-dev libssl-dev libyaml-cpp-dev"
prepare bookworm
alone() { as_user "$1" "$library; $install && Rscript --vanilla -e '.libPaths(Sys.getenv(\"R_LIBS_USER\")); $answers'"; }
check "R CMD INSTALL alone gives a package that works on Debian 12" alone bookworm
packages bookworm "g++-11"
with_gcc_11() { as_user bookworm "mkdir -p .R; echo 'CXX20 = g++-11' >.R/Makevars; $library; $install && Rscript --vanilla -e '.libPaths(Sys.getenv(\"R_LIBS_USER\")); $answers'"; }
check "  and with GCC 11" with_gcc_11

prepare trixie
packages trixie "r-base-core g++ make libboost-dev libcli11-dev libspdlog-dev libssl-dev libyaml-cpp-dev"
check "  and on Debian 13" alone trixie

exit "$failed"
