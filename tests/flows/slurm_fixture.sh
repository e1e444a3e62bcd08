#!/usr/bin/env bash
# The private Slurm of tests/slurm itself: that it runs jobs, steps and arrays, that
# its daemons can be killed and come back, and that nothing of it outlives it.
# time limit: 90 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
chmod 755 "$work"
cd "$work"

# Those that name a folder in their arguments or their environment: a cluster's
# daemons, and what its jobs started. The one that looks does so in neither.
is_gone() { ! env -u SLURM_CONF grep -qszFf <(echo "$1") /proc/[0-9]*/environ /proc/[0-9]*/cmdline; }
state_of() { squeue -h -t all -j "$1" -o %t 2>/dev/null | sort -u | tr '\n' ' '; }
state_is() { [ "$(state_of "$1")" = "$2 " ]; }
fails() { ! "$@" >/dev/null 2>&1; }
is_written() { [ -s "$1" ]; }
lines_are() { [ "$(sort "$1" | tr '\n' ' ')" = "$2 " ]; }

begun=$(date +%s%N)
start_slurm "$work/slurm" nodes=2 cpus=4 'KillWait=3' 'PartitionName=small Nodes=n1 MaxTime=5'
echo "    up after $((($(date +%s%N) - begun) / 1000000)) ms"
check "what is said of the configuration takes the place of ours" \
  [ "$(scontrol show config | awk '$1 == "KillWait" {print $3}')" = 3 ]
check "and no program complains" [ -z "$(scontrol show config 2>&1 >/dev/null)" ]

job=$(sbatch --parsable -N2 -n4 -o job.out --wrap "srun sh -c 'echo \$SLURMD_NODENAME\$SLURM_PROCID'")
check "a job ends well" slurm_wait 15 state_is "$job" CD
check "its steps ran on both nodes" lines_are job.out "n10 n11 n12 n23"
array=$(sbatch --parsable -a 0-5%3 -o 'array.%a' --wrap 'echo $SLURM_ARRAY_TASK_ID')
check "an array ends well" slurm_wait 15 state_is "$array" CD
cat array.? >array
check "each of its tasks ran once" lines_are array "0 1 2 3 4 5"

# Its grandchild has cut itself loose, so scancel does not find it.
loose="import os, time; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); open('loose', 'w').write(str(os.getpid())); time.sleep(900)"
job=$(sbatch --parsable -o /dev/null --wrap "python3 -c \"$loose\"; sleep 900")
check "a job runs" slurm_wait 15 is_written loose
scancel "$job"
check "it is cancelled" slurm_wait 15 state_is "$job" CA
check "what had cut itself loose lives on" kill -0 "$(cat loose)"

before=$(cat slurm/run/n2)
slurm_kill n2
check "a node can be killed" [ ! -e slurm/run/n2 ]
slurm_launch n2
check "and comes back as another process" [ "$(cat slurm/run/n2)" != "$before" ]
slurm_kill slurmctld TERM
check "without slurmctld there are no answers" fails timeout 1 squeue -h
slurm_launch slurmctld
check "which comes back with its jobs" slurm_wait 15 state_is "$array" CD

check "it listens on the loopback alone" [ -z "$(ss -Hltnp | grep -E 'slurm|munged' | grep -vE '127\.0\.0\.1:')" ]
check "its processes are seen" fails is_gone "$work/slurm"
begun=$(date +%s%N)
stop_slurm
echo "    stopped after $((($(date +%s%N) - begun) / 1000000)) ms"
check "nothing outlives it" slurm_wait 2 is_gone "$work/slurm"
check "not even what had cut itself loose" [ ! -e "/proc/$(cat loose)" ]

# Another script has one, in the folder $2.
cp "$root"/tests/slurm/{cluster.sh,reaper.py} "$work"
cat >other.sh <<'SH'
. "$1/cluster.sh"
need_slurm "$@"
mkdir -p "$2" && cd "$2"
start_slurm "$2" nodes=1 && sbatch -o out --wrap 'id -un; srun hostname -s' >/dev/null
slurm_wait 15 grep -qs "^$(hostname -s)" out && touch up
[ "$3" = end ] || exec sleep 900
stop_slurm
SH
bash other.sh "$work" "$work/killed" stay >/dev/null 2>&1 &
tester=$!
disown "$tester"
check "a script has one" slurm_wait 20 [ -e killed/up ]
kill -KILL "$tester"
check "which ends although the script was killed" slurm_wait 10 is_gone "$work/killed"

if [ "$(id -u)" = 0 ]; then
  mkdir -m 1777 any
  setpriv --reuid=65534 --regid=65534 --clear-groups bash other.sh "$work" "$work/any/user" end || true
  check "an ordinary user has one, with jobs of their own" grep -qs '^nobody' any/user/out
  check "which ends" slurm_wait 2 is_gone "$work/any/user"
fi
if unshare --uts true 2>/dev/null; then
  unshare --uts bash -c 'hostname elsewhere && exec bash other.sh "$@"' bash "$work" "$work/elsewhere" end
  check "a host that is not 127.0.0.1 has one" [ -e elsewhere/up ]
  check "which ends, too" slurm_wait 2 is_gone "$work/elsewhere"
fi
finish
