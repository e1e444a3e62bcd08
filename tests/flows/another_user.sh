#!/usr/bin/env bash
# Another user of this machine comes to every door of ours, local sockets and network
# ports: they greet as a daemon would, with everything right but the uid or without a
# credential, or stay there without a word. Nobody tells them anything that counts,
# and the load goes on.
# time limit: 180 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
need_another_user

TENKAI_LOG=info start Rscript --vanilla another_user.R "$work"
session=$started
wait_until_ready
check "tasks run on daemons behind every kind of door" [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish

# Every place where a process of ours listens, whoever told of it; a port is tried
# with all that one can speak there.
urls=()
while read -r kind place; do
  case $kind in
    abstract | ipc) urls+=("$kind://$place") ;;
    port) for scheme in tcp ws tls+tcp wss; do urls+=("$scheme://127.0.0.1:$place"); done ;;
  esac
done < <(our_doors)
count=$(our_doors | wc -l)
check "there are doors to try ($count: 2 abstract, 2 for viewers, 1 file, 4 ports)" [ "$count" = 9 ]
version=$(program_version)
before=()
for pid in $(dispatchers); do before+=("$pid $(memory_of "$pid" VmHWM) $(descriptors_of "$pid")"); done

# Ourselves first: this greeting is one that is answered.
own=$("$python" -B strangers.py knock "$version" 2 "abstract://$(our_doors | awk '/^abstract/ { print $2; exit }')")
check "our own uid is answered" grep -q REFUSED <<<"$own"
check "and would be told that the place is taken" grep -q 'is taken by another daemon' <<<"$own"

# Meanwhile, on a machine of their own (abstract names belong to a network): names that
# look like ours, before which so many stand that nobody else can.
start unshare -n bash crowded_names.sh "$work"
crowded=$started

stranger knock "$version" 14 "${urls[@]}" >"$work/knocked" 2>&1
all() { grep -c "$1" "$work/knocked" || true; }
none() { [ "$(all "$1")" = 0 ]; }
three_of_each=$((3 * ${#urls[@]}))
check "there were $three_of_each visits" [ "$(all '|')" = "$three_of_each" ]
check "a local name that is no file hangs up without a byte" \
  [ "$(grep -c '^abstract.*| not a byte, hung up after 0' "$work/knocked" || true)" = 12 ]
check "a socket file cannot even be opened" \
  [ "$(grep -c '^ipc.*cannot come in: EACCES' "$work/knocked" || true)" = 3 ]
# Two greetings at each of four ports are understood, as they are in its language.
check "a greeting over the network is asked for a credential" \
  [ "$(all 'hello.* REFUSED.*must have a credential')" = 8 ]
check "nobody is welcomed, challenged, or given a task" none 'WELCOME\|TASK\|CHALLENGE\|type [0-9]'
check "those who stay silent are gone after 10 s" none 'STILL OPEN'
too_long() { awk -F'|' '{ split($3, part, " "); if (part[2] == "bytes," && part[1] > 1024) print }' "$work/knocked"; }
check "nobody is told more than 1 KiB" [ -z "$(too_long)" ]
[ "$failed" = 0 ] || sort "$work/knocked" | sed 's/^/    /'

# The dispatcher lets go of a descriptor a moment after it has hung up.
as_before() {
  local entry pid fds
  for entry in "${before[@]}"; do
    read -r pid _ fds <<<"$entry"
    [ "$(descriptors_of "$pid")" -le "$fds" ] || return 1
  done
}
check "the dispatchers have no more descriptors open than before" wait_for 10 as_before
for entry in "${before[@]}"; do
  read -r pid memory _ <<<"$entry"
  grown=$(($(memory_of "$pid" VmHWM) - memory))
  check "dispatcher $pid has grown by less than 16 MiB ($grown KiB)" [ "$grown" -lt 16384 ]
done

has_ended() { ! kill -0 "$crowded" 2>/dev/null; }
check "names that another user has taken are looked at within 60 s" wait_for 60 has_ended
cat "$work/crowded"
grep -q '^NOT OK' "$work/crowded" && failed=1
check "all of them" [ "$(grep -c '^ok' "$work/crowded")" = 4 ]

touch "$work/enough"
check "the session ends" wait_for 60 session_has_ended
check "its load went on undisturbed" grep -q '^every task was right' "$work/output"
check "the log names the uid that was refused" grep -q 'refused uid 65534' "$work/output"
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
