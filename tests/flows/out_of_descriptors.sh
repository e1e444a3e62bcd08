#!/usr/bin/env bash
# A dispatcher has no descriptor left for those who dial: it does not spin, its daemons
# work, it says what is wrong, and goes on as soon as there are some. Where it is
# strangers from the network who have taken them, they make room for whoever comes.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh

# Stands in for the program: R itself does not start with so few descriptors.
cat >"$work/tenkai" <<PROGRAM
#!/bin/sh
[ "\$1" != dispatcher ] || ulimit -n 64 || exit 1
exec "$TENKAI_BIN" "\$@"
PROGRAM
chmod +x "$work/tenkai"
TENKAI_BIN=$work/tenkai TENKAI_LOG=warn start Rscript --vanilla out_of_descriptors.R "$work"
session=$started
wait_until_ready
check "a session and a daemon are at work" [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish
{ read -r dispatcher; read -r near; read -r far; } <"$work/doors"
limit=$(awk '/^Max open files/ { print $4 "/" $5 }' "/proc/$dispatcher/limits")
check "the dispatcher may have 64 descriptors ($limit)" [ "$limit" = 64/64 ]
descriptors=$(descriptors_of "$dispatcher")

# It leaves 8 for what is closed again at once.
all_taken() { [ "$(descriptors_of "$dispatcher")" -ge 55 ]; }
as_before() { [ "$(descriptors_of "$dispatcher")" -le $((descriptors + $1)) ]; }
said() { [ -e "$work/$1" ] || session_has_ended; }

# besiege N URL: 200 dials take every descriptor while the session does its part.
besiege() {
  local before begun used elapsed dials
  "$python" -B exhaust.py "$2" 200 "$work/over-$1" >"$work/dials-$1" 2>&1 &
  dials=$!
  check "200 dials to ${2%%:*} take every descriptor" wait_for 20 all_taken
  before=$(time_of "$dispatcher")
  begun=$(date +%s%N)
  touch "$work/taken-$1"
  wait_for 60 said "worked-$1" || true
  sleep 2
  used=$(($(time_of "$dispatcher") - before))
  elapsed=$((($(date +%s%N) - begun) / 10000000))
  check "the dispatcher does not spin ($((100 * used / elapsed)) % of a processor in $((elapsed / 100)) s)" \
    [ $((2 * used)) -lt "$elapsed" ]
  check "the descriptors were taken for all that time" all_taken
  touch "$work/over-$1"
  wait "$dials" || true
}

# Our own uid, on this machine, is nobody to be sent away.
besiege 1 "$near"
check "it says what it has too few of" grep -q 'out of file descriptors at .*ulimit -n' "$work/output"
touch "$work/freed-1"
wait_for 60 said joined-1 || true
check "it has all its descriptors back" wait_for 20 as_before 1

besiege 2 "$far"
lines=$(grep -c 'out of file descriptors' "$work/output" || true)
check "its log is not filled with that ($lines lines)" [ "$lines" -lt 30 ]

check "the session ends" wait_for 60 session_has_ended
grep '^ok: \|^NOT OK: ' "$work/output" || true
! grep -q '^NOT OK' "$work/output" || failed=1
check "it has said all it had to say" [ "$(grep -c '^ok: ' "$work/output" || true)" = 7 ]
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
