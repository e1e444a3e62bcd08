#!/bin/sh
# R CMD check --as-cran of the archive that scripts/r-package makes, as its user has it: in a
# folder elsewhere, with the program built by configure, as R on Debian compiles. It is to find
# nothing but that this is a new submission. Takes some ten minutes, the first time, and is not
# part of scripts/test:
#
#   tests/r_check_cran.sh [FOLDER]      where it is checked, and stays; a temporary one, if not said
#
# The tests in r/tests/testthat are not run here (tests/testthat.R), and nothing is asked of the
# network.
set -eu
cd "$(dirname "$0")/.."

work=${1-}
if [ -z "$work" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

export LC_ALL=C.UTF-8 LANGUAGE=en MAKEFLAGS=-j2
unset TENKAI_BIN TENKAI_PREFIX TENKAI_BUILD R_LIBS
if command -v tenkai >/dev/null; then echo "a tenkai in the PATH would be taken in place of what is built" >&2; exit 1; fi

# With -g, as Debian's R compiles, but without the flags that a note calls not portable.
ccache=$(if command -v ccache >/dev/null; then echo 'ccache '; fi)
printf '%s\n' 'CXX17FLAGS = -g -O2 -Wall' "CXX17 = ${ccache}g++" "CXX20 = ${ccache}g++" >"$work/Makevars"
export R_MAKEVARS_USER="$work/Makevars" CCACHE_NOHASHDIR=yes

scripts/r-package "$work"
cd "$work"
rm -rf tenkai.Rcheck

# What would be asked of others: their clock, what there is on CRAN, whether links are good.
export _R_CHECK_SYSTEM_CLOCK_=FALSE _R_CHECK_CRAN_INCOMING_REMOTE_=FALSE
# Here is a CRAN that has what DESCRIPTION names, and not this package.
mkdir -p repository/src/contrib
Rscript --vanilla -e 'named <- read.dcf(commandArgs(TRUE), c("Suggests", "Enhances"))
  named <- gsub("[[:space:]]|[(].*?[)]", "", unlist(strsplit(named, ",")))
  cat(paste0("Package: ", named, "\nVersion: 999.0\n"), sep = "\n")' "$OLDPWD/r/DESCRIPTION" >repository/src/contrib/PACKAGES
for name in CRAN BioCsoft BioCann BioCexp; do echo "options(repos = c(getOption('repos'), $name = 'file://$work/repository'))"; done >profile
sed -i '1i options(repos = NULL)' profile
# Some of its parts read no profile.
{
  printf 'menu_name\tURL\tdefault\tsource\twin.binary\tmac.binary\n'
  for name in CRAN BioCsoft BioCann BioCexp; do
    printf '%s\t%s\tfile://%s\tTRUE\tTRUE\tFALSE\tFALSE\n' "$name" "$name" "$work/repository"
  done
} >repositories
export R_PROFILE="$work/profile" R_PROFILE_USER="$work/profile" R_REPOSITORIES="$work/repositories"
# Packages whose classes have methods here, such as those of future, need not be there.
export _R_CHECK_PACKAGE_DEPENDS_IGNORE_MISSING_ENHANCES_=TRUE
# What reads PDF files, of which there are none, scripts (tests/shell_scripts.sh does) and help
# pages need not be there either; R wants the first two, and has no switch for them.
command -v qpdf >/dev/null || export R_QPDF=true
mkdir -p bin
if ! command -v checkbashisms >/dev/null; then
  echo '#!/bin/sh' >bin/checkbashisms
  chmod +x bin/checkbashisms
  export PATH="$work/bin:$PATH"
fi
command -v tidy >/dev/null || export _R_CHECK_RD_VALIDATE_RD2HTML_=FALSE
# A busy machine takes longer for an example than CRAN likes.
export _R_CHECK_EXAMPLE_TIMING_THRESHOLD_=600

R CMD check --as-cran --no-manual --no-tests tenkai_*.tar.gz || true
R_LIBS=$work/tenkai.Rcheck Rscript --vanilla "$OLDPWD/r/tests/smoke.R"
du -sk tenkai.Rcheck/tenkai tenkai.Rcheck/tenkai/*
[ -x tenkai.Rcheck/tenkai/bin/tenkai ] || { echo "the package has no program of its own" >&2; exit 1; }

found=$(grep -E '\.\.\. (NOTE|WARNING|ERROR)$' tenkai.Rcheck/00check.log |
  grep -vF 'checking CRAN incoming feasibility ... NOTE' || true)
grep -q '^Status: ' tenkai.Rcheck/00check.log || found="no end"
# That one note has a line for the maintainer, and one for what is new.
if grep -qF 'checking CRAN incoming feasibility ... NOTE' tenkai.Rcheck/00check.log; then
  found=$found$(sed -n '/^\* checking CRAN incoming/,/^\* checking/p' tenkai.Rcheck/00check.log |
    grep -vE '^(\* |Maintainer: |New submission$|$)' || true)
fi
if [ -n "$found" ]; then
  echo "R CMD check --as-cran is to find nothing but a new submission, and found:" >&2
  echo "$found" >&2
  exit 1
fi
