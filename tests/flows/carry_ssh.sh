#!/usr/bin/env bash
# `tenkai carry`: workers of other programs on machines that are reached by SSH, or started by
# a command. SSH itself ends nothing with its connection.
. "$(dirname "$0")/common.sh"
. ./sshd.sh
need_sshd
trap 'stop_sshds; clean_up' EXIT
make_sshd
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME" "$work/done"
cd "$work"
port=$(free_port)
start_sshd one 127.0.0.1 "$port" env
known 127.0.0.1 "$port" ed25519 >"$sshd/known"
host_of_config '*' '%h' "$port" "$sshd/known" "$sshd/id_ed25519" >"$sshd/config"
cat >profiles.yaml <<YAML
profiles:
  library: {launcher: ssh, url: "wss://:0", ssh: {remotes: ["ssh://127.0.0.1:$port"], config: "$sshd/config"}}
  client: {inherits: library, ssh: {client: ssh}}
  command: {launcher: command, url: "wss://:0", command: {program: sh, args: [-c, .]}}
YAML
export TENKAI_CONFIG=$work/profiles.yaml

carry() {
  TENKAI_FLOW=$mark timeout 60 "$TENKAI_BIN" carry "$@" >said 2>&1 </dev/null || :
}
files_are() { [ "$(find "$work/done" -type f | wc -l)" = "$1" ]; }
# Those that wrote their process ids into done/.
are_gone() { ! grep -h . done/* | xargs -n 1 ps -o pid= -p | grep -q .; }

for profile in library client command; do
  rm -f done/*
  carry --profile "$profile" --workers 2 "echo \$\$ >$work/done/\$\$; exit 3"
  check "$profile: two workers run" files_are 2
  check "  and it is told how they ended" grep -q 'worker 2: exited: .*exit code 3' said
  rm -f done/*
  sleep 600 &
  session=$!
  start "$TENKAI_BIN" carry --profile "$profile" --session "$session" --workers 2 \
    "echo \$\$ >$work/done/\$\$; sleep 600 & echo \$! >>$work/done/\$\$; wait"
  check "  two workers wait" wait_for 30 files_are 2
  kill -9 "$session"
  check "  and end with the session, with what they have started" wait_for 5 are_gone
  [ "$profile" != command ] || continue
  rm -f done/*
  start "$TENKAI_BIN" carry --profile "$profile" "echo \$\$ >$work/done/\$\$; exec sleep 600"
  check "  one more waits" wait_for 30 files_are 1
  kill -9 "$started"
  check "  and ends with who has launched it, even if that is killed" wait_for 20 are_gone
done
finish
