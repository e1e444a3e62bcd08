#!/usr/bin/env bash
# Daemons that an R session launches by SSH: the examples of the documentation, what is
# said of launches that bring none, and what is left when session or plugin are killed.
# time limit: 600 s
. "$(dirname "$0")/common.sh"
. ./sshd.sh
. ./netns.sh
need_sshd

leave() {
  stop_sshds
  remove_netns
  clean_up
}
trap leave EXIT
make_sshd

# Whoever logs in finds the R package as we do.
extra="ForceCommand R_LIBS='$R_LIBS' exec /bin/sh -c \"\$SSH_ORIGINAL_COMMAND\""

# All that is left are the servers, who bear the mark as well, and what we have
# started to stand in for one.
nothing_but_servers() {
  local pid
  for pid in $(marked); do
    case " $(for each in $sshds $silence; do with_children "$each"; done | tr '\n' ' ') " in
      *" $pid "*) grep -q sshd "/proc/$pid/comm" 2>/dev/null || [ "$pid" = "$silence" ] || return 1 ;;
      *) return 1 ;;
    esac
  done
}

# --- one machine, two addresses ---

port=$(free_port)
for name in one two; do echo "$extra" >"$sshd/$name.extra"; done
start_sshd one 127.0.0.1 "$port" env
start_sshd two 127.0.0.2 "$port" env
closed=$(free_port)
silent=$(free_port)
start python3 -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $silent)); s.listen(); time.sleep(600)"
silence=$started
known 127.0.0.1 "$port" ed25519 >"$sshd/known"
known 127.0.0.2 "$port" ed25519 >>"$sshd/known"
# The key of another server: as if this one's had changed.
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$sshd/id_stranger.pub")" >"$sshd/changed"
: >"$sshd/nothing"
{
  host_of_config changed 127.0.0.1 "$port" "$sshd/changed" "$sshd/id_ed25519"
  host_of_config unknown 127.0.0.1 "$port" "$sshd/nothing" "$sshd/id_ed25519"
  host_of_config rsa 127.0.0.1 "$port" "$sshd/known" "$sshd/id_rsa"
  host_of_config stranger 127.0.0.1 "$port" "$sshd/known" "$sshd/id_stranger"
  host_of_config '* !changed !unknown !rsa !stranger' '%h' "$port" "$sshd/known" "$sshd/id_ed25519"
} >"$sshd/config"
printf '#!/bin/sh\nR_LIBS=/none R_LIBS_USER=/none exec Rscript "$@"\n' >"$sshd/Rscript"
chmod 755 "$sshd/Rscript"
export TENKAI_SSH_CONFIG=$sshd/config BARE_RSCRIPT=$sshd/Rscript
export PORT=$port CLOSED=$closed SILENT=$silent
run_r ssh_daemons.R
check "all daemons used one connection for each host and profile" \
  [ "$(grep -c 'Accepted publickey' "$sshd/two.log")" = 1 ]

# --- the session is killed ---

start Rscript --vanilla ssh_left.R "$work"
if ! wait_for 60 [ -e "$work/ready" ]; then
  check "daemons by SSH have come up, to be left" false
fi
kill -KILL "$started"
check "nothing is left 10 s after the session was killed" wait_for 10 nothing_but_servers
nothing_but_servers || show_left

# --- two machines, and a tunnel between them ---

if make_netns; then
  echo "$extra" >"$sshd/far.extra"
  start_sshd far "$far_address" 2222 ip netns exec "$far"
  known "$far_address" 2222 ed25519 >"$sshd/known_far"
  host_of_config '*' '%h' 2222 "$sshd/known_far" "$sshd/id_ed25519" >"$sshd/config_far"
  export TENKAI_SSH_CONFIG=$sshd/config_far FAR=$far_address FAR_NAME=$far
  status=0
  TENKAI_FLOW=$mark ip netns exec "$near" Rscript --vanilla ssh_tunnel.R "$work" </dev/null || status=$?
  [ "$status" = 0 ] || failed=1
  check "and nothing is left of that" wait_for 10 nothing_but_servers
else
  echo "skipped: no network namespaces here"
fi
finish
