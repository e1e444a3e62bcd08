#!/usr/bin/env bash
# Launches by SSH to a machine that has R alone: tenkai is brought along once, whole or not at
# all, and what keeps it from coming is told.
# time limit: 900 s
. "$(dirname "$0")/common.sh"
. ./sshd.sh
need_sshd
trap 'stop_sshds; clean_up' EXIT
make_sshd
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME"

# The other machine: the same with another home, where R finds none of our libraries.
port=$(free_port)
there=$sshd/home
mkdir "$there"
cat >"$sshd/enter" <<SH
#!/bin/sh
unset R_LIBS R_LIBS_SITE TENKAI_BIN
export HOME=$there R_LIBS_USER=$there/R PATH=$sshd/bin:/usr/local/bin:/usr/bin:/bin
echo "\$SSH_ORIGINAL_COMMAND" >>$sshd/commands
exec /bin/sh -c "\$SSH_ORIGINAL_COMMAND"
SH
chmod 755 "$sshd/enter"
mkdir "$sshd/bin"
echo "ForceCommand $sshd/enter" >"$sshd/one.extra"
start_sshd one 127.0.0.1 "$port" env
known 127.0.0.1 "$port" ed25519 >"$sshd/known"
host_of_config '*' '%h' "$port" "$sshd/known" "$sshd/id_ed25519" >"$sshd/config"
export TENKAI_SSH_CONFIG=$sshd/config PORT=$port SSHD=$sshd THERE=$there
run_r bring.R
finish
