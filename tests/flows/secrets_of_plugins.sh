#!/usr/bin/env bash
# Daemons are launched by every plugin while another user looks at all that a machine
# shows to everybody: what lets them in is in no command line, log, message or file,
# but in the files made for it, which are ours alone and go when they have been used.
# time limit: 240 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
. ./sshd.sh
need_another_user
need_sshd
trap 'stop_sshds; clean_up' EXIT
make_sshd

mkdir -m 700 "$work/home" "$work/tmp" "$work/secret"
mkdir "$work/public"
chown 65534 "$work/public"
port=$(free_port)
start_sshd one 127.0.0.1 "$port" env
known 127.0.0.1 "$port" ed25519 >"$sshd/known"
host_of_config host 127.0.0.1 "$port" "$sshd/known" "$sshd/id_ed25519" >"$sshd/config"

# In the place of Rscript there, because nobody else could tell the test what the
# secrets are: it keeps what comes on standard input, or in the file that is named.
cat >"$work/Rscript" <<SCRIPT
#!/bin/sh
umask 077
name=$work/secret/line.\$\$
case "\$*" in
  *"credential='@"*) cp "\$(printf %s "\$*" | sed "s/.*credential='@\([^']*\)'.*/\1/")" "\$name" ;;
  *) cat >"\$name" ;;
esac
R_LIBS='$R_LIBS' exec Rscript "\$@" <"\$name"
SCRIPT
chmod 755 "$work" "$work/Rscript"

stranger watch "$work/public/seen" "$work/done" >"$work/watched" 2>&1 &
watcher=$!
HOME=$work/home TMPDIR=$work/tmp TENKAI_LOG=debug TENKAI_SSH_CONFIG=$sshd/config \
  TENKAI_PLUGINS=$root/tests/data/plugins \
  start Rscript --vanilla secrets_of_plugins.R "$work"
session=$started
wait_for 150 session_has_ended || true
touch "$work/done"
wait "$watcher" || true
grep '^ok: \|^NOT OK: ' "$work/output" || true
! grep -q '^NOT OK' "$work/output" || failed=1
grep -q '^ok: ' "$work/output" || failed=1

agents=$(grep -ac 'tenkai.*agent' "$work/public/seen" || true)
check "another user has seen our command lines ($agents of agents)" [ "$agents" -ge 5 ]
shopt -s nullglob
secrets=("$work"/secret/line.*)
check "there are secrets to look for (${#secrets[@]})" [ "${#secrets[@]}" -ge 5 ]
places=("$work/public/seen" "$work/output" "$work/shown" "$work/home" "$work/tmp" "$work/watched" "$sshd")
find() { "$python" -B find_secrets.py "$@" 2>&1; }
found=$(find "${secrets[@]}" -- "$work/secret" | grep -c FOUND || true)
check "the search finds them where they are ($found)" [ "$found" = "${#secrets[@]}" ]
find "${secrets[@]}" -- "${places[@]}" >"$work/found"
check "none is in a command line, log, message, printed object or file" \
  [ "$(grep -c FOUND "$work/found" || true)" = 0 ]
grep FOUND "$work/found" || true
for place in public/seen output shown; do
  check "and something was searched ($place: $(wc -c <"$work/$place") bytes)" [ -s "$work/$place" ]
done
check "no folder for credentials is left" [ -z "$(ls -A "$work/home/.cache/tenkai" 2>/dev/null)" ]
finish
