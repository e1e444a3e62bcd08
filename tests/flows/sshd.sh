# A private SSH server, without systemd: its own configuration, host keys and port,
# and keys that let us in. All of it is below $sshd. To be sourced after common.sh.
# shellcheck shell=bash disable=SC2154 # what common.sh sets

need_sshd() {
  export PATH=$PATH:/usr/sbin:/sbin
  local program
  for program in sshd ssh ssh-keygen ssh-agent ssh-add; do
    command -v "$program" >/dev/null && continue
    echo "skipped: there is no $program here"
    exit 0
  done
  [ "$(id -u)" = 0 ] && return
  echo "skipped: only root can start a server that lets others in"
  exit 0
}

# Those who log in read their keys there, so others may look into it.
make_sshd() {
  sshd=$(mktemp -d)
  chmod 755 "$sshd"
  install -d -m 0755 /run/sshd
  local kind
  for kind in ed25519 ecdsa rsa; do
    ssh-keygen -q -t "$kind" -N '' -C host -f "$sshd/host_$kind"
    ssh-keygen -q -t "$kind" -N '' -C ours -f "$sshd/id_$kind"
  done
  ssh-keygen -q -t ed25519 -N 'a secret' -C ours -f "$sshd/id_locked"
  ssh-keygen -q -t ed25519 -N '' -C stranger -f "$sshd/id_stranger"
  cat "$sshd"/id_{ed25519,ecdsa,rsa,locked}.pub >"$sshd/authorized"
  chmod 644 "$sshd/authorized"
}

free_port() {
  python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# start_sshd NAME ADDRESS PORT [COMMAND...]: in the background, by the command (an
# `ip netns exec`), with what is in $sshd/NAME.extra. Its pid is in $started.
start_sshd() {
  local name=$1 address=$2 port=$3
  shift 3
  {
    printf 'Port %s\nListenAddress %s\n' "$port" "$address"
    printf 'HostKey %s\n' "$sshd"/host_{ed25519,ecdsa,rsa}
    echo "AuthorizedKeysFile $sshd/authorized"
    echo "PidFile $sshd/$name.pid"
    printf '%s\n' 'UsePAM no' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' \
      'PermitRootLogin yes' 'StrictModes no' 'AllowTcpForwarding yes' 'PrintMotd no' 'LogLevel VERBOSE' \
      'ClientAliveInterval 5' "SetEnv TENKAI_FLOW=$mark"
    cat "$sshd/$name.extra" 2>/dev/null || true
  } >"$sshd/$name.conf"
  # From OpenSSH 9.8 on it refuses for a while whoever has failed, which is all of us.
  if /usr/sbin/sshd -t -o PerSourcePenalties=no -f "$sshd/$name.conf" 2>/dev/null; then
    echo 'PerSourcePenalties no' >>"$sshd/$name.conf"
  fi
  TENKAI_FLOW=$mark "$@" /usr/sbin/sshd -D -e -f "$sshd/$name.conf" </dev/null >"$sshd/$name.log" 2>&1 &
  started=$!
  sshds="${sshds-} $started"
  disown "$started"  # its end is ours to see, not to be shown
  wait_for 10 grep -q 'Server listening' "$sshd/$name.log"
}

# A process and all below it.
with_children() {
  local child
  for child in $(pgrep -P "$1"); do with_children "$child"; done
  echo "$1"
}

stop_sshds() {
  local server pid
  for server in ${sshds-}; do
    for pid in $(with_children "$server"); do kill -KILL "$pid" 2>/dev/null || true; done
  done
  sshds=
  rm -rf "${sshd:?}"
}

# known ADDRESS PORT KIND...: lines of known_hosts.
known() {
  local address=$1 port=$2 kind
  shift 2
  for kind in "$@"; do echo "[$address]:$port $(cut -d' ' -f1,2 "$sshd/host_$kind.pub")"; done
}

# host_of_config NAME ADDRESS PORT KNOWN IDENTITY [LINE...]: a Host of an ssh_config.
host_of_config() {
  printf 'Host %s\n  HostName %s\n  Port %s\n  UserKnownHostsFile %s\n  IdentityFile %s\n' "${@:1:5}"
  printf '  GlobalKnownHostsFile /dev/null\n  IdentityAgent none\n  IdentitiesOnly yes\n'
  shift 5
  [ $# = 0 ] || printf '  %s\n' "$@"
}
