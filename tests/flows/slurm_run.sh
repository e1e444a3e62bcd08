#!/usr/bin/env bash
# One R script, unedited: on a machine without Slurm, in an allocation of two nodes, and
# submitted by `tenkai run`. Its daemons are local ones, or steps of its job.
# time limit: 300 s
. "$(dirname "$0")/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
unset "${!SLURM_@}" TENKAI_ALLOCATION
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME/tenkai"
cp slurm_run.R "$work/fit.R"
cd "$work"

holds() { grep -qxF -- "$2" "$1"; }
ran_well() {
  check "$2: eight tasks have their values" holds "$1" "values: 1 4 9 16 25 36 49 64 "
  check "  ... of four daemons" holds "$1" "daemons: 4 "
  check "  ... a daemon's own daemons are beside it" holds "$1" "nested, all on its own node: 1 1 "
  check "  ... a task has a step of its own" holds "$1" "a task's own step: TRUE "
  check "  ... others are set beside them" holds "$1" "side: 2 "
  check "  ... and their end is not that of the first" holds "$1" "the first ones stay "
  [ "$failed" = 0 ] || sed 's/^/    /' "$1"
}
# run COMMAND...: marked; what it writes is in `said`, its exit code in $code.
run() {
  code=0
  TENKAI_FLOW=$mark timeout 120 "$@" >said 2>&1 </dev/null || code=$?
}
no_steps() { ! squeue -h -s -o %i | grep -qv '\.batch\|\.extern\|\.interactive'; }
has_steps() { ! no_steps; }
# The R of a session of ours.
session_with() {
  local pid
  for pid in $(marked); do
    tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "/exec/R .*$1" && echo "$pid"
  done | head -1
}
no_folder() { [ -z "$(ls "$XDG_CACHE_HOME/tenkai")" ]; }
no_jobs() { [ -z "$(squeue -h -o %i)" ]; }
state_is() { [ "$(squeue -h -t all -j "$1" -o %t)" = "$2" ]; }

# --- a laptop ---

mkdir laptop
for program in Rscript R sh bash env cat rm sed uname dirname basename expr; do
  ln -s "$(command -v "$program")" "laptop/$program"
done
echo 'profiles: {here: {launcher: local, daemons: 2}}' >here.yaml
run env TENKAI_CONFIG="$work/here.yaml" "$TENKAI_BIN" run --profile here --dry-run fit.R --x 1
check "what would be run here is shown" holds said "Rscript fit.R --x 1"
run env PATH="$work/laptop" "$TENKAI_BIN" run fit.R --some=thing
check "where there is no Slurm it runs in place, and ends as it does" [ "$code" = 7 ]
check "  with its arguments" holds said "arguments: --some=thing "
check "  on no node" holds said "nodes:  "
ran_well said "a laptop"

# --- an allocation ---

cat >profiles.yaml <<YAML
profiles:
  broken: {launcher: slurm, daemons: 2, environment: {modules: [no-such-module]}}
  cluster: {launcher: slurm, daemons: 4, slurm: {nodes: 2, time: 5, cpus-per-task: 1}}
  alone: {launcher: slurm, daemons: 2, slurm: {partition: nowhere}}
  elsewhere: {launcher: slurm, environment: {prologue: cd /}}
  ends: {launcher: slurm, environment: {prologue: exit 0}}
YAML
export TENKAI_CONFIG=$work/profiles.yaml

start_slurm "$work/slurm" nodes=2 cpus=4 SelectTypeParameters=CR_CPU_Memory
run salloc -Q -N2 -n4 Rscript --vanilla fit.R
check "in an allocation it ends well, too" [ "$code" = 7 ]
check "  on both nodes" holds said "nodes: n1 n2 "
ran_well said "salloc"
check "no step is left" slurm_wait 10 no_steps

sed '1i #!/usr/bin/env Rscript' fit.R >batch.R
TENKAI_FLOW=$mark sbatch -Q -N2 --ntasks-per-node=2 -o batch.log batch.R
check "a script of its own is a job" wait_for 60 no_jobs
check "  on both nodes" holds batch.log "nodes: n1 n2 "
ran_well batch.log "sbatch"

run salloc -Q -N2 env TENKAI_ALLOCATION=0 Rscript --vanilla -e \
  'library(tenkai); daemons(2); cat("urls:", sub(":.*", "", status()$daemons[, "online"]), rownames(status()$daemons), "\n")'
check "TENKAI_ALLOCATION=0 keeps daemons local" grep -q "urls: .*abstract://" said
run salloc -Q -N2 Rscript --vanilla -e 'library(tenkai)' -e 'daemons(profile = "cluster")' \
  -e 'tasks <- lapply(1:8, function(i) mirai({Sys.sleep(0.3); Sys.getenv("SLURMD_NODENAME")}, .compute = "cluster"))' \
  -e 'cat("nodes:", sort(unique(vapply(tasks, function(each) call_mirai(each)$data, ""))), "\n")' \
  -e 'cat("jobs:", sub(".*[.]", "", attr(status(.compute = "cluster"), "launches")$job), "\n")'
check "what a profile would submit is a step where there is an allocation" holds said "nodes: n1 n2 "
check "  which is no step of Slurm's own count" holds said "jobs: launch1 launch2 "
run salloc -Q -n1 Rscript --vanilla -e 'library(tenkai)' -e 'd <- daemons(profile = "cluster")'
check "daemons for which a job has too few processors are told" \
  grep -q "wants 4 daemons with 1 processor each, and job .* has 1" said
run "$TENKAI_BIN" launch --dry-run --url wss://n1:5555 --daemons 2 --by slurm --option slurm.allocation=1
check "outside of any allocation there are no steps" [ "$code" = 2 ]
check "  and it is said why" grep -q "SLURM_JOB_ID is not set" said


cat >broken.R <<'R'
library(tenkai)
failed <- tryCatch(daemons(profile = "broken"), error = identity)
cat("class:", class(failed)[1L], "cause:", failed$cause, "\n")
cat("set:", status(.compute = "broken")$connections, "\n")
R
run salloc -Q -N2 Rscript --vanilla broken.R
check "daemons that cannot start are an error with its cause" holds said "class: tenkai_launch_error cause: module_missing "
check "  and nothing stays set" holds said "set: 0 "
[ "$failed" = 0 ] || sed 's/^/    /' said

(cd "$root/tests/flows" && TENKAI_FLOW=$mark salloc -Q -N2 Rscript --vanilla slurm_steps.R "$work" </dev/null) || failed=1
check "no step is left of it" slurm_wait 10 no_steps

start salloc -Q -N2 Rscript --vanilla fit.R stay
check "a session runs" wait_for 60 [ -e ready ]
check "  with a step" has_steps
kill -KILL "$(session_with 'args stay')"
check "when it is killed, no process is left within 10 s" wait_for 10 nothing_is_left
check "  and no step" slurm_wait 10 no_steps
nothing_is_left || show_left

# --- tenkai run ---

run "$TENKAI_BIN" run --profile cluster --dry-run fit.R
check "what would be submitted is shown" holds said "#SBATCH --ntasks-per-node=2"
run "$TENKAI_BIN" run --profile cluster --wait fit.R a "b c"
check "a script is submitted, and its exit code is ours" [ "$code" = 7 ]
job=$(grep -xE '[0-9]+' said | head -1)
check "  its id is printed" [ -n "$job" ]
log=fit-$job.log
check "  its output is beside it" [ -s "$log" ]
check "  with its arguments" holds "$log" "arguments: a b c "
check "  on both nodes" holds "$log" "nodes: n1 n2 "
ran_well "$log" "tenkai run"
[ "$failed" = 0 ] || sed 's/^/    /' said
check "  nothing of it is left in the cache" wait_for 10 no_folder

run "$TENKAI_BIN" run --profile cluster --json --log 'out.%j' fit.R
job=$(sed -n 's/.*"job":"\([0-9]*\)".*/\1/p' said)
check "it need not be waited for" [ "$code" = 0 ]
check "  and is told as JSON" holds said "{\"job\":\"$job\",\"log\":\"out.$job\"}"
check "  and runs without us" slurm_wait 60 state_is "$job" F
check "  to where it was said" holds "out.$job" "nodes: n1 n2 "
echo 'Sys.sleep(60)' >long.R
start "$TENKAI_BIN" run --profile elsewhere --wait long.R
plugin_of() { for each in $(pgrep -P "$started"); do grep -qs "plugin" "/proc/$each/cmdline" && echo "$each"; done; }
check "a script is waited for" wait_for 20 grep -q "runs on n" "$work/output"
kill -KILL "$(plugin_of)"
code=0 && wait "$started" || code=$?
check "when nobody can follow its job any more, that is not told as none" [ "$code" = 1 ]
check "  but as what it is" grep -q "it goes on, squeue shows it" "$work/output"
scancel --name="$(squeue -h -o %j)"
scancel --me && slurm_wait 20 no_jobs
sbatch -Q --exclusive -N2 --output=/dev/null --wrap 'sleep 100' >/dev/null
start "$TENKAI_BIN" run --profile elsewhere --wait long.R
check "it is soon told what a script waits for" wait_for 20 grep -q "waits in the queue: " "$work/output"
kill -INT "$started"
code=0 && wait "$started" || code=$?
check "  and who waits no more is told what goes on" [ "$code" = 130 ]
scancel --me
run "$TENKAI_BIN" run --profile alone fit.R
check "what Slurm refuses is told in its words" grep -q "sbatch refused the job: .*nvalid partition" said
check "  and is no success" [ "$code" = 2 ]
run "$TENKAI_BIN" run nothing.R
check "a script that is not there is not submitted" [ "$code" = 2 ]
run "$TENKAI_BIN" run .
check "  nor a folder, which R would take for an empty one" [ "$code" = 2 ]
echo 'quit(status = 5)' >five.R
run "$TENKAI_BIN" run --profile elsewhere --wait five.R
check "a script is found also where the environment leads into another folder" [ "$code" = 5 ]
run "$TENKAI_BIN" run --profile ends --wait five.R
check "a script that never ran has not ended well" [ "$code" = 1 ]
check "  and it is said why" grep -q "environment.prologue has ended" said

stop_slurm
check "nothing of ours is left" wait_for 10 nothing_is_left
nothing_is_left || show_left
finish
