#!/usr/bin/env bash
# `tenkai carry`: workers of other programs as jobs, in a private Slurm.
# time limit: 300 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
unset "${!SLURM_@}" TENKAI_ALLOCATION
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME/tenkai" "$work/done"
cd "$work"
start_slurm "$work/slurm" "PartitionName=down Nodes=ALL State=DOWN"
cat >profiles.yaml <<'YAML'
profiles:
  jobs: {launcher: slurm, url: "wss://:0", slurm: {time: "10"}}
  pairs: {launcher: slurm, url: "wss://:0", slurm: {time: "10", array-chunk: 2}}
  down: {launcher: slurm, url: "wss://:0", slurm: {time: "10", partition: down}}
  here: {launcher: local, daemons: 2}
YAML
export TENKAI_CONFIG=$work/profiles.yaml

# carry ARGUMENTS...: what it says is in `said`, its exit code in $code.
carry() {
  code=0
  TENKAI_FLOW=$mark timeout 120 "$TENKAI_BIN" carry "$@" >said 2>&1 </dev/null || code=$?
}
says() { grep -q -- "$1" said; }
no_jobs() { [ -z "$(squeue -h -o %i)" ]; }
arrays() { squeue -h -r -o '%F %K' | awk '{n[$1]++} END {for (id in n) print n[id]}' | sort -n | tr '\n' ' '; }
have_arrays() { [ "$(arrays)" = "$1" ]; }
files_are() { [ "$(find "$work/done" -type f | wc -l)" = "$1" ]; }
no_folder() { [ -z "$(ls "$XDG_CACHE_HOME/tenkai" 2>/dev/null)" ]; }
one_is_left() { [ "$(ps -o pid= -p "$(echo "$carriers" | tr ' ' ,)" | wc -l)" = 1 ]; }
start_session() {
  sleep 600 &
  session=$!
}

# --- one command, in the foreground ---

carry --profile jobs --workers 3 "touch $work/done/\$TENKAI_RANK; exit 0"
check "three workers run, each as an element of one array" files_are 3
check "  and it ends when they have, with code 0" [ "$code" = 0 ]
check "  saying nothing" [ ! -s said ]
check "  no folder is left" no_folder
rm -f done/*
carry --profile pairs --workers 3 "touch $work/done/\$\$"
check "a chunk runs its workers side by side" files_are 3
carry --profile jobs no-such-program --option
check "a worker that cannot start is a failure" [ "$code" = 1 ]
check "  which names it" says 'worker 1: .*no-such-program'
rm -f done/*
carry --profile jobs --workers 2 "test \$TENKAI_RANK = 0 || exit 3"
check "one of two that fails is named, with its exit code" says 'worker 2: exited: .*3'
carry --profile jobs --workers 2 --dry-run "Rscript worker.R 'a b'"
check "what would be submitted is shown" says "Rscript worker.R"
check "  and nothing is" no_jobs

# --- R is broken on the nodes ---

before=$(date +%s%N)
carry --profile jobs --workers 2 "/no/such/Rscript -e 1"
took=$((($(date +%s%N) - before) / 1000000))
check "a worker whose R is not there says so" says 'rscript_missing: '
echo "told after $took ms"
carry --profile jobs "Rscript -e 'library(nosuchpackage)'"
check "a package that is missing is told" says 'nosuchpackage'

# --- what cannot be had ---

start "$TENKAI_BIN" carry --profile down "true"
one=$started
check "of a job that cannot start it is told why" wait_for 60 grep -q "worker 1: it waits in the queue: .*name another slurm.partition" output
kill "$one"
check "  and it ends with who waits for it" wait_for 60 no_jobs
carry --profile none "true"
check "a profile that is not there is named" says "there is no profile 'none'"
carry --profile here "true"
check "one for this machine carries nobody" says "for this machine"
carry --profile jobs
check "without a command it says what one is" says 'say what a worker runs'

# --- of one session: collected, and ended with it ---

start_session
for i in 1 2 3 4 5; do
  TENKAI_FLOW=$mark "$TENKAI_BIN" carry --profile jobs --session "$session" --together 5 \
    "echo $i >$work/done/$i; exec sleep 600" >>collected 2>&1 </dev/null &
  carriers="${carriers:+$carriers }$!"
done
check "five commands of one session are one array" wait_for 60 have_arrays "5 "
check "  each of them its own" wait_for 60 files_are 5
check "  and one process stays for all" wait_for 60 one_is_left
TENKAI_FLOW=$mark "$TENKAI_BIN" carry --profile jobs --session "$session" "sleep 600" >>collected 2>&1
check "one that comes later is another job" wait_for 60 have_arrays "1 5 "
kill -9 "$session"
check "when the session is killed, its jobs are gone" wait_for 60 no_jobs
check "  and their folder" wait_for 60 no_folder
check "  and nothing was said" [ ! -s collected ]
carry --profile jobs --session "$session" "true"
check "for a session that has ended nothing is launched" says 'has ended: nothing is launched'

# --- who ends them, and who does not ---

# The time limits of the jobs.
limits() { squeue -h -r -o %l | sort | tr '\n' ' '; }
have_limits() { [ "$(limits)" = "$1" ]; }
start_session
sh -c "TENKAI_FLOW=$mark '$TENKAI_BIN' carry --profile jobs --session $session 'sleep 600' >>collected 2>&1 </dev/null &
  echo \$! >leader"
check "a worker of a session runs" wait_for 60 have_arrays "1 "
one=$(cat leader)
kill -INT "$one"
sed -i 's/jobs: \(.*\)"10"/jobs: \1"17"/' profiles.yaml
TENKAI_FLOW=$mark "$TENKAI_BIN" carry --profile jobs --session "$session" "sleep 600" >>collected 2>&1 </dev/null &
check "Ctrl-C for R ends none of them, and a profile that was changed is heeded" \
  wait_for 60 have_limits "10:00 17:00 "
plugin_of() { ps -o pid= --ppid "$1" | tr -d ' '; }
before=$(plugin_of "$one")
kill -9 "$before"
has_another_plugin() { [ -n "$(plugin_of "$one")" ] && [ "$(plugin_of "$one")" != "$before" ]; }
check "a plugin that was killed has another one in its place" wait_for 60 has_another_plugin
kill "$session"
check "  which ends its jobs with the session" wait_for 60 no_jobs
check "  and nothing was said" [ ! -s collected ]
carry --profile jobs ''
check "no command is none to run" says 'say what a worker runs'

# --- ended by a signal ---

TENKAI_FLOW=$mark "$TENKAI_BIN" carry --profile jobs --workers 2 "sleep 600" >said 2>&1 </dev/null &
one=$!
check "two more wait" wait_for 60 have_arrays "2 "
kill "$one"
wait "$one" || :
check "SIGTERM ends them" wait_for 60 no_jobs
finish
