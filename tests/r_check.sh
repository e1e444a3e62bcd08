#!/bin/sh
# R CMD check of the package, and its shortest way (r/tests/smoke.R): no error, no warning
# and no note. The program is the one that TENKAI_PREFIX/bin or build/bin holds. Needs no
# network.
#
# The tests in r/tests/testthat are not run here, which takes minutes (tests/testthat.R).
set -eu
cd "$(dirname "$0")/.."

export TENKAI_PREFIX="${TENKAI_PREFIX:-$PWD/build}"
export TENKAI_BIN="${TENKAI_BIN:-$TENKAI_PREFIX/bin/tenkai}"
[ -x "$TENKAI_BIN" ] || { echo "there is no program $TENKAI_BIN; run scripts/build first" >&2; exit 1; }
work=$PWD/build/r-check

# What the check finds depends neither on the language of whoever runs it nor on what
# others offer at this moment.
export LC_ALL=C.UTF-8 LANGUAGE=en
export _R_CHECK_CRAN_INCOMING_=FALSE _R_CHECK_SYSTEM_CLOCK_=FALSE _R_CHECK_FUTURE_FILE_TIMESTAMPS_=FALSE
# Packages whose classes have methods here, such as those of future, need not be there.
export _R_CHECK_PACKAGE_DEPENDS_IGNORE_MISSING_ENHANCES_=TRUE

# With the headers of base/ in place of the links to them, as in scripts/build.
rm -rf "$work"
mkdir -p "$work"
cp -RLp r "$work/tenkai"
find "$work/tenkai" \( -name '*.o' -o -name '*.so' \) -delete
cd "$work"

# R would ask its repositories whether packages there need this one: here is an empty one.
mkdir -p repository/src/contrib
: >repository/src/contrib/PACKAGES
echo "options(repos = c(CRAN = 'file://$work/repository'))" >profile
export R_PROFILE="$work/profile" R_PROFILE_USER="$work/profile"

# Without -g, with which Debian's R compiles: the size of that would be a note. R compiles it
# twice, to build and to check it.
ccache=$(if command -v ccache >/dev/null; then echo 'ccache '; fi)
printf '%s\n' 'CXX17FLAGS = -O2 -Wall' "CXX17 = ${ccache}g++" >Makevars
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS R_MAKEVARS_USER="$work/Makevars"

# Building makes the vignettes, and installs the package for that; what is in them is run
# by tests/flows/documents.sh.
R CMD build tenkai
R CMD check --no-manual --no-tests --no-build-vignettes tenkai_*.tar.gz
R_LIBS=$work/tenkai.Rcheck Rscript --vanilla tenkai/tests/smoke.R
guides=$(R_LIBS=$work/tenkai.Rcheck Rscript --vanilla -e 'cat(nrow(vignette(package = "tenkai")$results))')
if [ "$guides" != "$(find tenkai/vignettes -name '*.Rmd' | wc -l)" ]; then
  echo "vignette(package = \"tenkai\") is to list each file of r/vignettes, and lists $guides" >&2
  exit 1
fi

status=$(sed -n 's/^Status: //p' tenkai.Rcheck/00check.log)
if [ "$status" != OK ]; then
  echo "R CMD check is to find nothing, and found: $status" >&2
  exit 1
fi
