# What the flows with strangers share; sourced after common.sh, it is not one of them.
# shellcheck shell=bash disable=SC2154 # what common.sh sets

# The Python that any user of this machine can run: the first one on PATH may be
# below somebody's home.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)

# Ends the flow where nobody else can be played.
need_another_user() {
  if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
    echo "skipped: only root can become another user for a moment"
    exit 0
  fi
  # What the other user runs must be theirs to read.
  cp strangers.py wire.py "$work/"
  chmod 755 "$work"
}

as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# A script with subcommands, as another user: stranger COMMAND ARGUMENTS...
stranger() { as_nobody "$python" -B "$work/strangers.py" "$@"; }

program_version() { "$TENKAI_BIN" --version | grep -o '[0-9][0-9.]*' | head -n 1; }

# The inodes of all sockets that processes of this flow have open.
our_sockets() {
  local pid
  for pid in $(marked); do
    find "/proc/$pid/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null || true
  done | tr -dc '0-9\n' | sort -u
}

# Where processes of this flow listen, a line each: "abstract NAME", "ipc PATH" and
# "port NUMBER". Columns of /proc/net/unix: 4 flags (00010000: listens), 7 inode,
# 8 path; of /proc/net/tcp: 2 local address, 4 state (0A: listens), 10 inode.
our_doors() {
  local inodes port
  inodes=$(our_sockets)
  awk 'NR == FNR { ours[$1] = 1; next }
    $4 == "00010000" && $7 in ours { print $8 ~ /^@/ ? "abstract " substr($8, 2) : "ipc " $8 }' \
    <(echo "$inodes") /proc/net/unix | sort -u
  # shellcheck disable=SC2013 # words
  for port in $(awk 'NR == FNR { ours[$1] = 1; next }
      $4 == "0A" && $10 in ours { sub(/.*:/, "", $2); print $2 }' \
      <(echo "$inodes") <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null) | sort -u); do
    echo "port $((16#$port))"
  done
}

# memory_of PID FIELD: VmRSS or VmHWM, in KiB.
memory_of() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status" 2>/dev/null || true; }
descriptors_of() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
# Processor time of a process so far, in hundredths of a second.
time_of() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat" 2>/dev/null || echo 0; }

# The dispatchers of this flow.
dispatchers() {
  local pid
  for pid in $(marked); do
    if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'tenkai dispatcher'; then echo "$pid"; fi
  done
}

# The R script that `start` has started last, its pid in $session, says "ready" when
# its daemons are at work, or ends.
begun() { [ -e "$work/ready" ] || session_has_ended; }
session_has_ended() { ! [ -d "/proc/$session" ]; }
wait_until_ready() { wait_for 90 begun || true; }
