#!/usr/bin/env bash
# Another user besieges the doors: thousands of connections that say nothing, and as
# many that say a byte a second. Honest daemons come in and work meanwhile, few
# strangers are held at a time, and all of them are gone after 10 s.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
need_another_user

start Rscript --vanilla slow_strangers.R "$work"
session=$started
wait_until_ready
check "a session is ready for the siege" [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish
{ read -r dispatcher; mapfile -t doors; } <"$work/doors"
memory=$(memory_of "$dispatcher" VmHWM)
descriptors=$(descriptors_of "$dispatcher")

"$python" -B half_open.py "$dispatcher" "$work/stop" >"$work/half_open" &
counter=$!
stranger besiege 30 1000 40 "${doors[@]:0:2}" >"$work/siege" 2>&1 &
siege=$!
came() { grep -q '^came' "$work/siege" || ! [ -d "/proc/$siege" ]; }
check "the strangers are at the doors" wait_for 30 came
touch "$work/besieged"
wait "$siege" || true
touch "$work/stop"
wait "$counter" || true
sed 's/^/    /' "$work/siege"

check "4,000 strangers have come" grep -q '^came: 4000 ' "$work/siege"
check "none is left" grep -q '^left: 0$' "$work/siege"
last=$(sed -n 's/^turned away.*after \([0-9]*\).*/\1/p' "$work/siege")
check "all were gone after 10 s (by the clock ${last:-?} s)" [ "${last:-99}" -le 20 ]
check "none was told anything" grep -q '^most bytes that one was told: 0$' "$work/siege"
read -r most most_of_one <"$work/half_open"
check "never more than 256 were held at a time ($most)" [ "$most" -le 256 ]
check "nor more than 32 from one address ($most_of_one)" [ "$most_of_one" -le 32 ]
check "but some were" [ "$most_of_one" -ge 16 ]
grown=$(($(memory_of "$dispatcher" VmHWM) - memory))
check "the dispatcher has grown by less than 16 MiB ($grown KiB)" [ "$grown" -lt 16384 ]
done_or_ended() { [ -e "$work/done" ] || session_has_ended; }
wait_for 60 done_or_ended || true
# The two who have joined meanwhile have two descriptors each: connection and log.
as_before() { [ "$(descriptors_of "$dispatcher")" -le $((descriptors + 4)) ]; }
check "and has no more descriptors open than before" wait_for 10 as_before
touch "$work/enough"
check "the session ends" wait_for 60 session_has_ended
cat "$work/output"
! grep -q '^NOT OK' "$work/output" || failed=1
check "it has said all it had to say" [ "$(grep -c '^ok: \|^NOT OK: ' "$work/output" || true)" = 7 ]
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
