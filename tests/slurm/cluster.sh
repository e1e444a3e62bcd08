# A private Slurm on the loopback, without systemd, database or cgroups: munged,
# slurmctld and as many slurmd as there are to be nodes, all below one folder, as root
# or as anybody. To be sourced by bash scripts:
#
#   need_slurm                     skips the script where there is no Slurm; call it first
#   start_slurm FOLDER [nodes=2] [cpus=4] [memory=4000] [node=WORDS] [LINE...]
#                                  ready when it returns; exports SLURM_CONF. A LINE goes
#                                  into slurm.conf, in place of ours with its key; WORDS
#                                  are added to the line of every node
#   stop_slurm                     ends it, with every process that ever came from it
#   slurm_kill NAME [SIGNAL]       n1, n2, ... or slurmctld; KILL, and then it is gone
#   slurm_launch NAME              ... and comes back
#   slurm_wait SECONDS COMMAND...  until the command succeeds
#
# There is one at a time in one shell. It ends by itself when the shell has gone.
# shellcheck shell=bash

slurm_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Slurm's daemons listen where the name of the host leads, and srun is dialled at
# 127.0.0.1. So where that name leads elsewhere (127.0.1.1 on many a Debian), the
# whole script runs again, with an /etc/hosts of its own.
need_slurm() {
  export PATH=$PATH:/usr/sbin:/sbin
  local program
  for program in munged slurmctld slurmd sbatch srun squeue scancel scontrol python3; do
    command -v "$program" >/dev/null && continue
    echo "skipped: there is no $program here"
    exit 0
  done
  slurm_host_is_local && return
  if [ -n "${SLURM_HOSTS-}" ] || ! slurm_unshare true 2>/dev/null; then
    echo "skipped: $(hostname -s) is not 127.0.0.1, and hosts of our own cannot be had"
    exit 0
  fi
  rm -rf "${work:-/nonexistent}"
  slurm_unshare bash "$0" "$@"
}

slurm_host_is_local() {
  [ "$(getent ahostsv4 "$(hostname -s)" | awk 'NR == 1 {print $1}')" = 127.0.0.1 ]
}

# slurm_unshare COMMAND...: in place of this shell, if it is not `true`.
slurm_unshare() {
  local as_root=() hosts
  [ "$(id -u)" = 0 ] || as_root=(--map-root-user)
  hosts=$(mktemp)
  chmod 644 "$hosts"
  echo "127.0.0.1 localhost $(hostname -s) $(hostname)" >"$hosts"
  # shellcheck disable=SC2016 # for the other shell
  set -- unshare "${as_root[@]}" --mount sh -c \
    'mount --bind "$0" /etc/hosts && rm "$0" && SLURM_HOSTS=ours exec "$@"' "$hosts" "$@"
  [ "${*: -1}" = true ] || exec "$@"
  "$@" || { rm -f "$hosts" && return 1; }
}

slurm_wait() {
  local until=$(($(date +%s%N) + $1 * 1000000000))
  shift
  while ! "$@"; do
    [ "$(date +%s%N)" -lt "$until" ] || return 1
    sleep 0.05
  done
}

# Ports that are free now, below those the kernel gives to clients.
slurm_free_ports() {
  python3 - "$1" <<'PYTHON'
import random, socket, sys
kept = []
while len(kept) < int(sys.argv[1]):
    candidate = socket.socket()
    try:
        candidate.bind(("127.0.0.1", random.randrange(12000, 32000)))
    except OSError:
        continue
    kept.append(candidate)
print(*(each.getsockname()[1] for each in kept))
PYTHON
}

start_slurm() {
  local nodes=2 cpus=4 memory=4000 node='' lines='' word name
  slurm=$1
  shift
  for word; do
    case $word in
      nodes=* | cpus=* | memory=* | node=*) printf -v "${word%%=*}" %s "${word#*=}" ;;
      *) lines+=$word$'\n' ;;
    esac
  done
  slurm=$(mkdir -p "$slurm" && cd "$slurm" && pwd)
  slurm_write_conf "$lines"
  export SLURM_CONF=$slurm/slurm.conf
  unset "${!SBATCH_@}" SLURM_CLUSTERS
  # Not marked as the flow's: the reaper finds its own, and the flow what it started.
  env -u TENKAI_FLOW python3 -B "$slurm_here/reaper.py" "$slurm" $$ </dev/null >"$slurm/reaper.out" 2>&1 &
  slurm_reaper=$!
  slurm_wait 10 [ -e "$slurm/run/reaper" ] || slurm_complain "the reaper" || return 1
  slurm_launch munged || slurm_complain munged || return 1
  slurm_wait 10 [ -S "$slurm/munge.socket" ] || slurm_complain munged || return 1
  slurm_order run slurmctld slurmctld -D -c -f "$SLURM_CONF"
  for name in $slurm_nodes; do slurm_order run "$name" slurmd -D -f "$SLURM_CONF" -N "$name"; done
  slurm_wait 30 slurm_idle "$nodes" || slurm_complain "the nodes" || return 1
}

slurm_idle() { [ "$(sinfo -h -N -o '%N %T' 2>/dev/null | sort -u | grep -c ' idle$')" = "$1" ]; }

# Says what did not come up, with what its programs wrote; stops the rest, and fails.
slurm_complain() {
  echo "$1 of a private Slurm did not come up; what its programs wrote:" >&2
  tail -n 8 "$slurm"/reaper.out "$slurm"/log/* >&2 || true
  stop_slurm
  return 1
}

# Without a reaper nobody would read, and the shell would wait.
slurm_order() { kill -0 "$slurm_reaper" 2>/dev/null && (printf '%q ' "$@" && echo) >"$slurm/orders"; }

slurm_runs() { [ -e "$slurm/run/$1" ]; }
slurm_is_gone() { ! slurm_runs "$1"; }

slurm_launch() {
  case $1 in
    munged) slurm_order run munged munged --foreground --force --key-file="$slurm/munge.key" --num-threads=2 \
      --socket="$slurm/munge.socket" --pid-file="$slurm/munge.pid" --seed-file="$slurm/munge.seed" --log-file="$slurm/log/munged.log" ;;
    slurmctld) slurm_order run slurmctld slurmctld -D -f "$slurm/slurm.conf" ;;
    *) slurm_order run "$1" slurmd -D -f "$slurm/slurm.conf" -N "$1" ;;
  esac
  slurm_wait 10 slurm_runs "$1"
}

slurm_kill() {
  slurm_order kill "$1" "${2:-KILL}"
  slurm_wait 30 slurm_is_gone "$1"
}

# Where the reaper itself was killed, its daemons have ended with it.
stop_slurm() {
  [ -n "${slurm_reaper-}" ] || return 0
  slurm_order end || true
  wait "$slurm_reaper" 2>/dev/null || true
  slurm_reaper=
}

# slurm_write_conf LINES, with the variables of start_slurm. Keys are described in
# slurm.conf(5); what they are here for:
# - NoInAddrAny: nothing listens on other addresses than the loopback.
# - config_overrides: a node has the processors we say, not those of this machine.
# - batch_sched_delay and the like: a job starts within a second, not within three.
# - cred_expire: a requeued job waits that long; the default is two minutes.
# - CR_CPU: steps share memory freely.
# - TmpFS: two nodes of one machine must not share what PMIx puts into /tmp.
# - CgroupPlugin: slurmd looks for one although nothing uses it, and fails where none is.
slurm_write_conf() {
  local me host port index ours
  me=$(id -un)
  host=$(hostname -s)
  mkdir -p "$slurm/log" "$slurm/state"
  (umask 077 && head -c 128 /dev/urandom >"$slurm/munge.key")
  echo CgroupPlugin=cgroup/v1 >"$slurm/cgroup.conf"
  : >"$slurm/plugstack.conf"
  read -ra port <<<"$(slurm_free_ports $((nodes + 1)))"
  ours="ClusterName=private
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${port[0]}
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$slurm/munge.socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$slurm/state
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmctldLogFile=$slurm/log/slurmctld.log
SlurmctldDebug=verbose
SlurmdSpoolDir=$slurm/spool/%n
SlurmdPidFile=$slurm/slurmd.%n.pid
SlurmdLogFile=$slurm/log/slurmd.%n.log
SlurmdDebug=verbose
SlurmdParameters=config_overrides
TmpFS=$slurm/spool/%n/tmp
PlugStackConfig=$slurm/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$slurm/log/jobcomp.log
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=15
InactiveLimit=0
KillWait=2
MinJobAge=300
PropagateResourceLimits=NONE"
  slurm_nodes=
  for ((index = 1; index <= nodes; index++)); do
    slurm_nodes+="n$index "
    install -d -m 1777 "$slurm/spool/n$index/tmp"
    ours+="
NodeName=n$index NodeHostname=$host NodeAddr=127.0.0.1 Port=${port[index]} CPUs=$cpus RealMemory=$memory State=UNKNOWN $node"
  done
  ours+="
PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE DefaultTime=10 DefMemPerCPU=$((memory / cpus)) State=UP"
  slurm_merge "$ours" "$1" >"$slurm/slurm.conf"
}

# slurm_merge OURS LINES: a key that comes twice would be complained of by each program.
slurm_merge() {
  awk '{ split($0, word, /[ =]/); key = tolower(word[1]) }
    key ~ /^(node|partition)name$/ { key = tolower($1) }
    FILENAME == ARGV[1] { said[key] = 1; next }
    !(key in said)' <(printf %s "$2") <(printf '%s\n' "$1")
  printf %s "$2"
}
