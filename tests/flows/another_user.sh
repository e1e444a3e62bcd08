#!/usr/bin/env bash
# Another user of this machine connects to our local sockets, with everything right
# but the uid: nothing is said to them, and the load goes on.
# time limit: 120 s
. "$(dirname "$0")/common.sh"

if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
  echo "skipped: only root can become another user for a moment"
  exit 0
fi

start Rscript --vanilla another_user.R "$work"
session=$started
begun() { [ -e "$work/ready" ] || ! [ -d "/proc/$session" ]; }
check "tasks run on local daemons" wait_for 60 begun

# The names that processes of ours listen at: those whose inode one of them holds.
inodes=$(for pid in $(marked); do
  find "/proc/$pid/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null || true
done | tr -dc '0-9\n' | sort -u)
# Columns of /proc/net/unix: 4 flags (00010000: listens), 7 inode, 8 path.
names=$(awk 'NR == FNR { ours[$1] = 1; next }
  $4 == "00010000" && $7 in ours && $8 ~ /^@/ { print substr($8, 2) }' \
  <(echo "$inodes") /proc/net/unix | sort -u)
count=$(echo "$names" | grep -c . || true)
check "there are sockets to try ($count)" [ "$count" -ge 2 ]
version=$("$TENKAI_BIN" --version | grep -o '[0-9][0-9.]*' | head -n 1)

cp hello.pl "$work/hello.pl"
chmod 755 "$work"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups perl "$work/hello.pl" "$@"; }

# Ourselves first: the greeting of hello.pl is one that is answered.
first=$(echo "$names" | head -n 1)
answer=$(perl hello.pl "$first" "$version")
check "our own uid is answered ($answer)" [ "${answer#answered}" != "$answer" ]

bad=0
for name in $names; do
  for _ in 1 2 3; do
    answer=$(as_nobody "$name" "$version")
    case "$answer" in
      "refused without a byte") ;;
      *) bad=1; echo "    $name: $answer" ;;
    esac
  done
done
check "another uid gets no byte, at any socket" [ "$bad" = 0 ]

touch "$work/enough"
ended() { ! [ -d "/proc/$session" ]; }
check "the session ends" wait_for 60 ended
check "its load went on undisturbed" grep -q '^every task was right' "$work/output"
check "nothing of ours is left" wait_for 10 nothing_is_left
finish
