# Another user has names of ours, and lets nobody in there: nobody waits for ever.
# Run by another_user.sh, in a network of its own; it is no flow.
# shellcheck shell=bash
set -u
work=$1
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)

say() { if [ "$1" = 0 ]; then echo "ok: $2"; else echo "NOT OK: $2"; fi >>"$work/crowded"; }

: >"$work/crowded"
# 1500 descriptors, and one name that only looks like a dispatcher's.
(ulimit -n 4096 && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
  "$python" -B "$work/strangers.py" crowd 55 500 'tenkai-0-viewer-*-0123456789abcdef' taken) >"$work/crowd" 2>&1 &
stranger=$!
for _ in $(seq 200); do grep -q crowded "$work/crowd" && break; sleep 0.1; done

# The daemon dials for 10 s.
timeout 50 Rscript --vanilla -e 'tenkai::daemon("abstract://taken")' >"$work/daemon" 2>&1 &
daemon=$!

timeout 20 "$TENKAI_BIN" status --json >"$work/status" 2>&1
say $(($? != 1)) "tenkai status ends, and has found nobody"
grep -q '^tenkai status: 500 sockets, the first one @tenkai-0-viewer-1-.* another user has taken the name' "$work/status"
say $? "it says why"
timeout 20 "$TENKAI_BIN" launch --by command --program env --args . 2>&1 | grep -q 'nobody takes the calls there'
say $? "tenkai launch ends, too"
wait "$daemon"
grep -q '5 | Timed out: abstract://taken: nobody takes the calls there' "$work/daemon"
say $? "a daemon that was given such a name ends, and says why"
kill "$stranger"
wait "$stranger" 2>/dev/null
