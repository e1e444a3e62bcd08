#!/bin/sh
# What scripts/deb makes, in roots of Debian 12: built without network, clean to lintian, installed
# where there is nothing else, and then R has daemons; and the module file, with Environment Modules
# and with Lmod. Takes half an hour, has to be root, and is not part of scripts/test:
#
#   tests/debian_packages.sh [FOLDER]      where the roots are made and stay; build/roots, if not said
set -eu
cd "$(dirname "$0")/.."
. tests/in_roots.sh
answers='library(tenkai); daemons(1); stopifnot(identical(mirai(21 * 2)[], 42)); daemons(0)'

scripts/install-packages --for roots
make_root bookworm "$roots/packing"
packages packing ca-certificates
rm -rf "$roots/packing/checkout" "$roots/packing/packages"
mkdir -p "$roots/packing/checkout"
git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- | tar -x -C "$roots/packing/checkout"
in_root packing "/checkout/scripts/install-packages --for deb"

# With a network of one machine alone, as Debian's own builders have it: without that, the
# compiler of Open MPI warns where CMake asks it for its flags.
offline() {
  unshare --net sh -euc 'ip link set lo up; . scripts/roots.sh; enter_root "$1" /checkout sh -euc "$2"' \
    sh "$roots/packing" "$1"
}
build="export LC_ALL=C.UTF-8; scripts/deb /packages"
check "source and binary packages are built without network, and lintian finds nothing" offline "$build"
for package in tenkai tenkai-mpi r-other-tenkai; do
  check "  $package is there" sh -c 'ls "$1"/"$2"_*.deb' sh "$roots/packing/packages" "$package"
done
check "  and the source" sh -c 'ls "$1"/tenkai_*.dsc "$1"/tenkai_*.orig.tar.gz' sh "$roots/packing/packages"

make_root bookworm "$roots/installed"
bring installed "$roots"/packing/packages/*.deb
new_home installed
in_root installed "apt-get -qq purge -y tenkai r-other-tenkai tenkai-mpi >/dev/null 2>&1 || true"
check "they are installed where nothing else is" packages installed \
  "/media/release/tenkai_*.deb /media/release/r-other-tenkai_*.deb"
check "an ordinary user's R has a daemon" as_user installed "Rscript --vanilla -e '$answers'"
check "the program has its launchers" as_user installed "tenkai plugins && tenkai plugin ssh </dev/null"
for file in man/man1/tenkai.1.gz man/man1/tenkai-doctor.1.gz bash-completion/completions/tenkai \
  zsh/vendor-completions/_tenkai fish/vendor_completions.d/tenkai.fish tenkai/templates/slurm.sbatch; do
  check "  and $file" [ -s "$roots/installed/usr/share/$file" ]
done
check "doctor finds nothing wrong" as_user installed "tenkai doctor"
check "they can be removed" in_root installed "apt-get -qq purge -y tenkai >/dev/null 2>&1; ! command -v tenkai"

# The module file finds the prefix that it is moved with.
prefix='/opt/a prefix'
rm -rf "$roots/installed/opt/"* "$roots/installed/media/modulefiles"
mkdir -p "$roots/installed$prefix/share/tenkai/modulefiles/tenkai" "$roots/installed/media/modulefiles"
for file in "$roots"/packing/packages/*tenkai_*.deb; do dpkg-deb -x "$file" "$roots/installed/media/unpacked"; done
cp -R "$roots/installed/media/unpacked/usr/." "$roots/installed$prefix"
ln -s "$prefix/share/tenkai/modulefiles/tenkai" "$roots/installed/media/modulefiles/tenkai"
packages installed environment-modules
check "module load has the program, with Environment Modules" as_user installed "
  set +u; . /usr/share/modules/init/sh; module use '$prefix/share/tenkai/modulefiles'; module load tenkai
  [ \"\$(command -v tenkai)\" = '$prefix/bin/tenkai' ]; [ \"\$TENKAI_PREFIX\" = '$prefix' ]
  module unload tenkai; ! command -v tenkai"
check "  by a link elsewhere" as_user installed "
  set +u; . /usr/share/modules/init/sh; module use /media/modulefiles; module load tenkai
  [ \"\$(command -v tenkai)\" = '$prefix/bin/tenkai' ]"
# It replaces the other, and takes no path with a space.
packages installed lmod
check "  and with Lmod" as_user installed "
  set +u; . /usr/share/lmod/lmod/init/sh; module use /media/modulefiles; module load tenkai
  [ \"\$(command -v tenkai)\" = '$prefix/bin/tenkai' ]; [ \"\$TENKAI_PREFIX\" = '$prefix' ]
  module unload tenkai; ! command -v tenkai"

exit "$failed"
