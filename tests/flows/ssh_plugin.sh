#!/usr/bin/env bash
# `tenkai plugin ssh` against a real SSH server: keys, host keys, causes, quoting, one
# connection for all, tunnels to a host with a loopback of its own.
# time limit: 400 s
. "$(dirname "$0")/common.sh"
. ./sshd.sh
. ./netns.sh
need_sshd
users=
remove_all() {
  stop_sshds
  for user in $users; do userdel -f "$user" 2>/dev/null || true; done
  remove_netns
  clean_up
}
trap remove_all EXIT
make_sshd

# Users with each of the login shells that are here.
for shell in sh dash bash csh tcsh zsh; do
  path=$(command -v "$shell") || continue
  user=tk$$$shell
  useradd -M -d / -s "$path" -p '*' "$user"
  users="$users $user"
done

port=$(free_port)
start_sshd near 127.0.0.1 "$port"
known 127.0.0.1 "$port" ed25519 >"$sshd/known"
known 127.0.0.1 "$port" rsa >"$sshd/known_rsa"
sed "s|ssh-ed25519 .*|$(cut -d' ' -f1,2 "$sshd/id_stranger.pub")|" "$sshd/known" >"$sshd/known_other"
cp "$sshd/known" "$sshd/known_hashed"
ssh-keygen -q -H -f "$sshd/known_hashed" >/dev/null 2>&1
: >"$sshd/known_none"
closed=$(free_port)
mute=$(free_port)
export SSH_ASKPASS=$sshd/askpass SSH_ASKPASS_REQUIRE=force
printf '#!/bin/sh\necho "a secret"\n' >"$SSH_ASKPASS"
chmod 755 "$SSH_ASKPASS"
start ssh-agent -D -a "$sshd/agent"
agents=$started
start ssh-agent -D -a "$sshd/agent_rsa"
agents="$agents $started"
wait_for 5 [ -S "$sshd/agent" ] && wait_for 5 [ -S "$sshd/agent_rsa" ]
SSH_AUTH_SOCK=$sshd/agent ssh-add -q "$sshd/id_locked" </dev/null
SSH_AUTH_SOCK=$sshd/agent_rsa ssh-add -q "$sshd/id_rsa"
{
  for key in ed25519 ecdsa rsa locked stranger; do
    host_of_config "$key" 127.0.0.1 "$port" "$sshd/known" "$sshd/id_$key"
  done
  host_of_config agent 127.0.0.1 "$port" "$sshd/known" "$sshd/id_locked" | sed "s|Agent none|Agent $sshd/agent|"
  host_of_config agent_rsa 127.0.0.1 "$port" "$sshd/known" "$sshd/id_none" |
    sed "s|Agent none|Agent $sshd/agent_rsa|; s|Only yes|Only no|"
  for file in rsa other hashed none; do
    host_of_config "known_$file" 127.0.0.1 "$port" "$sshd/known_$file" "$sshd/id_ed25519"
  done
  host_of_config closed 127.0.0.1 "$closed" "$sshd/known" "$sshd/id_ed25519"
  host_of_config mute 127.0.0.1 "$mute" "$sshd/known" "$sshd/id_ed25519"
  host_of_config nowhere no-such-host.invalid 22 "$sshd/known" "$sshd/id_ed25519"
  host_of_config jumped 127.0.0.1 "$port" "$sshd/known" "$sshd/id_ed25519" 'ProxyJump ecdsa'
} >"$sshd/config"

far_port=2222
if make_netns; then
  start_sshd far "$far_address" "$far_port" ip netns exec "$far"
  known "$far_address" "$far_port" ed25519 >"$sshd/known_far"
  host_of_config far "$far_address" "$far_port" "$sshd/known_far" "$sshd/id_ed25519" >>"$sshd/config"
else
  echo "skipped: tunnels, because there are no network namespaces here"
  remove_netns
  near='' far=''
fi

TENKAI_FLOW=$mark python3 -B ssh_plugin.py "$TENKAI_BIN" "$sshd" "$mute" \
  "$users" "$near" "$far" "${near_device-}" </dev/null || failed=1
stop_sshds
# shellcheck disable=SC2086 # pids
kill $agents
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
