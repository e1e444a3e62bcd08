#!/usr/bin/env bash
# `tenkai doctor` with machines that SSH reaches, and addresses: nothing on healthy ones, and what is
# staged. A real SSH server, on the loopback.
# time limit: 180 s
. "$(dirname "$0")/common.sh"
. ./sshd.sh
need_sshd
. ./doctor_common.sh
trap 'stop_sshds; clean_up' EXIT
make_sshd

# Servers on which one finds the R package, none, another clock, no Rscript.
found="R_LIBS='$R_LIBS' TENKAI_BIN='$TENKAI_BIN'"
mkdir "$sshd/clock" "$sshd/none"
printf '#!/bin/sh\necho $(($(%s +%%s) + 3600))\n' "$(command -v date)" >"$sshd/clock/date"
chmod 755 "$sshd/clock/date" "$sshd/clock"
server() { echo "ForceCommand $2 exec /bin/sh -c \"\$SSH_ORIGINAL_COMMAND\"" >"$sshd/$1.extra"; }
server one "$found"
server bare "R_LIBS=/none R_LIBS_USER=/none"
server clock "$found PATH=$sshd/clock:$PATH"
server full "$found TMPDIR=/proc"
port=$(free_port)
at=1
for name in one bare clock full; do
  start_sshd "$name" "127.0.0.$at" "$port" env
  known "127.0.0.$at" "$port" ed25519 >>"$sshd/known"
  at=$((at + 1))
done
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$sshd/id_stranger.pub")" >"$sshd/changed"
: >"$sshd/nothing"
closed=$(free_port)
{
  at=1
  for name in one bare clock full; do
    host_of_config "$name" "127.0.0.$at" "$port" "$sshd/known" "$sshd/id_ed25519"
    at=$((at + 1))
  done
  host_of_config jumped 127.0.0.1 "$port" "$sshd/known" "$sshd/id_ed25519" "ProxyJump one"
  host_of_config badjump 127.0.0.1 "$port" "$sshd/known" "$sshd/id_ed25519" "ProxyJump closed"
  host_of_config changed 127.0.0.1 "$port" "$sshd/changed" "$sshd/id_ed25519"
  host_of_config unknown 127.0.0.1 "$port" "$sshd/nothing" "$sshd/id_ed25519"
  host_of_config rsa 127.0.0.1 "$port" "$sshd/known" "$sshd/id_rsa"
  host_of_config stranger 127.0.0.1 "$port" "$sshd/known" "$sshd/id_stranger"
  host_of_config keyless 127.0.0.1 "$port" "$sshd/known" "$sshd/no_such_key"
  host_of_config closed 127.0.0.1 "$closed" "$sshd/known" "$sshd/id_ed25519"
  host_of_config nowhere no-such-host.invalid 22 "$sshd/known" "$sshd/id_ed25519"
} >"$sshd/config"

# A port that somebody has.
taken=$(free_port)
free=$(free_port)
start python3 -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $taken)); s.listen(); time.sleep(600)"
holder=$started
port_is_taken() { ss -Hltn "sport = :$taken" | grep -q .; }
wait_for 10 port_is_taken

{
  echo "profiles:"
  echo "  base: {launcher: ssh, url: \"tcp://127.0.0.1:0\", tls: no, bring: no, ssh: {tunnel: yes, config: $sshd/config}}"
  for name in one jumped badjump changed unknown rsa stranger keyless closed nowhere bare clock full; do
    echo "  $name: {inherits: base, ssh: {remotes: [ssh://$name]}}"
  done
  cat <<YAML
  brought: {inherits: bare, bring: yes}
  both: {inherits: base, ssh: {remotes: [ssh://one, ssh://one, ssh://jumped]}}
  fixed: {inherits: one, url: "tcp://127.0.0.1:$free"}
  tunnel: {inherits: one, url: "tcp://127.0.0.1:$taken"}
  rscript: {inherits: one, environment: {rscript: /no/Rscript}}
  taken: {url: "tcp://127.0.0.1:$taken", daemons: 1, launcher: local}
  range: {launcher: local, port: $taken-$taken, scheme: ws, tls: no, interface: lo}
  host: {launcher: command, command: {program: sh}, url: "wss://no-such-host.invalid:0"}
  other: {launcher: command, command: {program: sh}, url: "wss://192.0.2.7:0"}
  loop: {launcher: command, command: {program: sh}, url: "wss://127.0.0.1:0"}
YAML
} >"$work/profiles.yaml"
config=$work/profiles.yaml

healthy "a machine" --profile one
check "it was entered" says "ssh://one: lets us in"
healthy "two machines, one through the other" --profile both
check "the jump host is named" says "lets us in through one"
check "each is asked once" [ "$(grep -c ' ssh.reach ' "$work/out")" = 2 ]
healthy "RSA keys alone, with a server that takes them" --profile rsa
healthy "a tunnel from a port that is free" --profile fixed

staged F1 wrong ssh.r.package "is not in R's libraries" --profile bare
staged F1 warning ssh.r.package "a launch brings it along" --profile brought
staged F1 wrong ssh.r "is not found" --profile rscript
staged F28 wrong ssh.tunnel "is taken there" --profile tunnel
staged F7 wrong address.port "is taken" --profile taken
staged F7 wrong address.port "is taken" --profile range
staged F5 warning address.name "has no address here" --profile host
staged F5 warning address.name "leads to 192.0.2.7" --profile other
staged F5 warning address.name "no other one reaches us by it" --profile loop
check "F6: a firewall is said not to be known" finds skipped address.firewall
staged key wrong ssh.reach "is not known" --profile unknown
staged key wrong ssh.reach "is not the one that is known" --profile changed
staged login wrong ssh.reach "did not let us in" --profile stranger
staged login wrong ssh.reach "ssh-keygen -t ed25519" --profile keyless
staged host wrong ssh.reach "could not be reached" --profile closed
staged jump wrong ssh.reach "it is reached through closed" --profile badjump
staged host wrong ssh.reach "no address for the host name" --profile nowhere
staged clock warning ssh.clock "ahead of ours" --profile clock
staged folder wrong ssh.folder "nothing can be written there" --profile full
kill "$holder"
finish
