# Roots of Debian below $roots, the folder that is the first argument, and who does what in them:
# for tests/bare_roots.sh and tests/debian_packages.sh, which source this.
# shellcheck shell=sh disable=SC2034 # who sources this ends with failed
[ "$(id -u)" = 0 ] || { echo "$0 has to be root, for debootstrap and mounts" >&2; exit 1; }
roots=${1:-build/roots}
mkdir -p "$roots"
roots=$(cd "$roots" && pwd)
. scripts/roots.sh

failed=0
check() {
  sentence=$1
  shift
  if "$@"; then echo "ok: $sentence"; else echo "NOT OK: $sentence"; failed=1; fi
}

# in_root ROOT COMMAND: as root, with network.
in_root() { enter_root "$roots/$1" / sh -euc "$2"; }

# as_user ROOT COMMAND: as an ordinary user with the home that new_home() makes, without network.
home='/home/jörg müller'
as_user() {
  enter_root "$roots/$1" / unshare --net setpriv --reuid=1500 --regid=1500 --clear-groups --no-new-privs \
    env -i LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/bin HOME="$home" sh -euc "cd; $2"
}
new_home() {
  rm -rf "${roots:?}/$1$home"
  mkdir -p "$roots/$1$home"
  chown -R 1500:1500 "$roots/$1$home"
}

# bring ROOT FILE...: into its /media/release.
bring() {
  root=$1
  shift
  mkdir -p "$roots/$root/media/release"
  cp -- "$@" "$roots/$root/media/release/"
  chmod -R a+rX "$roots/$root/media"
}

# packages ROOT NAMES: from the archive of Debian.
packages() {
  copy_settings "$roots/$1"
  in_root "$1" "export DEBIAN_FRONTEND=noninteractive; apt-get -qq update >/dev/null
    apt-get -qq install -y --no-install-recommends $2 >/dev/null 2>&1"
}
