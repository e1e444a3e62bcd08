# Roots of other releases of Debian, for scripts/debian13 and tests/bare_roots.sh, which source this.
# shellcheck shell=sh

# The archive that apt uses here.
debian_archive() {
  archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  [ -n "$archive" ] || { echo "apt knows no archive of Debian here; ask it for one (apt-get update)" >&2; return 1; }
  echo "$archive"
}

# make_root SUITE FOLDER: made once; what is half made is made again.
make_root() {
  [ ! -d "$2" ] || return 0
  archive=$(debian_archive) || return 1
  rm -rf "$2.part"
  mkdir -p "$2.part"
  echo "making a root of Debian's $1 in $2"
  debootstrap --variant=minbase --include=ca-certificates "$1" "$2.part" "$archive" >"$2.log" 2>&1 ||
    { tail -n 20 "$2.log" >&2; return 1; }
  mv "$2.part" "$2"
}

# copy_settings FOLDER: what may change from one run to the next.
copy_settings() {
  cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
  apt-config dump | grep -iE '^Acquire::[a-z]+::Proxy' >"$1/etc/apt/apt.conf.d/00proxy" || true
}

# enter_root FOLDER WHERE COMMAND...: runs it there, in WHERE. The folder becomes the root of a
# mount namespace, and not of a chroot(), in which there could be no namespaces of users.
# Nothing is mounted afterwards, or seen by others.
enter_root() {
  unshare --mount sh -euc '
    root=$1 where=$2
    shift 2
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    cd "$root"
    pivot_root . .
    umount -l .
    exec env -C "$where" "$@"' sh "$@"
}
