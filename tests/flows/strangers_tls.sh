#!/usr/bin/env bash
# Another user comes over TLS, with everything but the token: nobody is let in, told
# anything but that, or seen in status().
# time limit: 180 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
need_another_user

TENKAI_LOG=info start Rscript --vanilla strangers_tls.R "$work"
session=$started
wait_until_ready
check "tasks run on daemons over TLS" [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish
dispatcher=$(dispatchers)
memory=$(memory_of "$dispatcher" VmHWM)
descriptors=$(descriptors_of "$dispatcher")

# A certificate that nobody but its maker knows.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=stranger \
  -keyout "$work/key" -out "$work/certificate" 2>/dev/null
cat "$work/key" >>"$work/certificate"
chmod 644 "$work/certificate"

version=$(program_version)
: >"$work/told"
number=0
while read -r url; do
  number=$((number + 1))
  id=$("$python" -B -c 'import sys, wire; print(wire.credential(sys.stdin.read().strip())["id"].hex())' \
    <"$work/line.$number")
  stranger tls "$version" "$url" "$work/certificate" "$id" >>"$work/told" 2>&1
done <"$work/urls"

told() { [ "$(grep -c "^$1 | .*$2" "$work/told" || true)" = 2 ]; }
no_entry="REFUSED, hung up after .*: a daemon must have a credential"
wrong="CHALLENGE REFUSED, hung up after .*: the proof of the credential is wrong"
check "without a certificate and without a token: refused" told "no certificate" "$no_entry"
check "with a certificate of one's own: refused" told "own certificate" "$no_entry"
check "with a credential made up: refused" told "no token" "$wrong"
check "with the id of a real one, and another token: refused" told "known id" "$wrong"
check "TLS 1.2: refused before anything is said" told "TLS 1.2" "cannot come in: .*\(VERSION\|PROTOCOL\)"
known() { sed -n "s/^$1 | \([0-9]* bytes\).*/\1/p" "$work/told" | sort -u; }
check "the answer does not tell whether the id is known ($(known "known id"))" \
  [ "$(known "known id")" = "$(known "no token")" ]
check "nobody is welcomed, or given a task" [ "$(grep -c 'WELCOME\|TASK\|STILL OPEN' "$work/told" || true)" = 0 ]
[ "$failed" = 0 ] || sed 's/^/    /' "$work/told"

as_before() { [ "$(descriptors_of "$dispatcher")" -le "$descriptors" ]; }
check "the dispatcher has no more descriptors open than before" wait_for 10 as_before
grown=$(($(memory_of "$dispatcher" VmHWM) - memory))
check "it has grown by less than 16 MiB ($grown KiB)" [ "$grown" -lt 16384 ]

touch "$work/enough"
check "the session ends" wait_for 90 session_has_ended
check "its load went on, with nobody new in status()" grep -q '^every task was right' "$work/output"
check "who belongs in the free slots still comes in" grep -q '^the free slots were taken' "$work/output"
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
