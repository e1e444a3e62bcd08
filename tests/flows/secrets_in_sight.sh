#!/usr/bin/env bash
# Daemons are launched in every way there is while another user looks at all that a
# machine shows to everybody. No token, key or password is in any command line, log,
# message, printed object or file, but in the files made for it, which are ours alone.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
need_another_user

mkdir -m 700 "$work/home" "$work/tmp" "$work/secret"
mkdir "$work/public"
chown 65534 "$work/public"
# A key and a certificate as a site would give them, with a password.
echo "password: $(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$work/secret/password"
chmod 600 "$work/secret/password"
sed -n 's/^password: //p' "$work/secret/password" |
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=127.0.0.1 \
    -addext subjectAltName=IP:127.0.0.1 -passout stdin \
    -keyout "$work/secret/key" -out "$work/secret/own.certificate" 2>/dev/null
cat "$work/secret/own.certificate" "$work/secret/key" >"$work/secret/own.pem"
chmod 600 "$work/secret/key" "$work/secret/own.pem"

stranger watch "$work/public/seen" "$work/done" >"$work/watched" 2>&1 &
watcher=$!
HOME=$work/home TMPDIR=$work/tmp TMPPREFIX=$work/tmp/zsh TENKAI_LOG=debug \
  start Rscript --vanilla secrets_in_sight.R "$work"
session=$started
wait_for 200 session_has_ended || true
touch "$work/done"
wait "$watcher" || true
grep '^ok: \|^NOT OK: \|^shells: ' "$work/output" || true
! grep -q '^NOT OK' "$work/output" || failed=1
check "the session has come to its end" [ -e "$work/done" ]
sed 's/^/    /' "$work/watched"

agents=$(grep -ac 'agent' "$work/public/seen" || true)
check "another user has seen our command lines ($agents of agents)" [ "$agents" -ge 15 ]
check "and could not look further into our processes" [ "$(grep -c READABLE "$work/watched" || true)" = 0 ]

shopt -s nullglob
secrets=("$work"/secret/{line,command}.* "$work"/secret/{kept,own.pem,password})
places=("$work/public/seen" "$work/output" "$work/said" "$work/shown" "$work/home" "$work/tmp" "$work/watched")
find() { "$python" -B find_secrets.py "$@" 2>&1; }
# The search itself, first: it finds what is there.
made=$(grep -lE 'dGVua2Fp|PRIVATE KEY|password: ' "$work"/secret/* | wc -l)
found=$(find "${secrets[@]}" -- "$work/secret" | grep -c FOUND || true)
check "the search finds each file that was made for a secret ($found)" [ "$found" = "$made" ]
# An interactive shell keeps what was typed, for its user alone.
find "${secrets[@]}" -- "${places[@]}" -- "$work/home/.bash_history" >"$work/found"
sed 's/^/    /' "$work/found"
check "no secret is in a command line, log, message, printed object or other file" \
  [ "$(grep -c FOUND "$work/found" || true)" = 0 ]
known=$(sed -n 's/^\([0-9]*\) secrets.*/\1/p' "$work/found")
check "there were secrets to look for (${known:-0})" [ "${known:-0}" -ge 10 ]
for place in public/seen output shown; do
  check "and something to search ($place: $(wc -c <"$work/$place") bytes)" [ -s "$work/$place" ]
done
find "${secrets[@]}" -- "$work/secret" -- "$work"/secret/* >"$work/private"
check "every file with a credential has mode 0600 and is ours" [ "$(grep -c FOUND "$work/private" || true)" = 0 ]
grep FOUND "$work/private" || true
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
