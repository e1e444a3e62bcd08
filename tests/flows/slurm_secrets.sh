#!/usr/bin/env bash
# Daemons come as jobs and steps of a private Slurm while another user looks at all that
# the machine and Slurm show to everybody, and at every file that can be opened: what
# lets agents in is in none of it, nor in what Slurm keeps of the jobs.
# time limit: 200 s
. "$(dirname "$0")/common.sh"
. ./strangers.sh
. ../slurm/cluster.sh
need_slurm
need_another_user
trap 'stop_slurm; clean_up' EXIT
# Slurm's own keys are not what is looked for.
start_slurm "$work/slurm" nodes=2 cpus=8 >/dev/null
chmod 755 "$work/slurm"
mkdir -m 700 "$work/secret" "$work/tmp"
mkdir "$work/public" "$work/home"
chown 65534 "$work/public"
export XDG_CACHE_HOME=$work/home/cache
(
  umask 077
  cat >"$work/tenkai.yaml" <<'YAML'
profiles:
  base: {launcher: slurm, daemons: 4, threads: 1, slurm: {partition: main, time: 10}}
  array: {inherits: base, slurm: {array-chunk: 2}}
  nodes: {inherits: base, slurm: {nodes: 2}, environment: {prologue: "export MINE=1"}}
YAML
)
export TENKAI_CONFIG=$work/tenkai.yaml

stranger watch "$work/public/seen" "$work/done" >"$work/watched" 2>&1 &
watcher=$!
TMPDIR=$work/tmp TENKAI_LOG=debug start Rscript --vanilla slurm_secrets.R "$work"
session=$started
wait_until_ready
check "daemons of a job array and of a job of two nodes are at work" [ -e "$work/ready" ]
[ -e "$work/ready" ] || finish

# What Slurm tells another user.
asked() { (cd "$work/public" && as_nobody "$@" </dev/null >>"$work/public/asked" 2>&1) || true; }
jobs=$(squeue -h -o %A | sort -u)
asked squeue --Format=all
asked scontrol -dd show job
asked scontrol -dd show step
asked scontrol show partition
asked scontrol listpids
for job in $jobs; do
  asked scontrol write batch_script "$job" -
  asked sstat --allsteps --format=ALL -j "$job"
  asked scontrol show job "$job" -o
  # Nobody's business: ended, held, or entered by another user.
  asked scancel "$job"
  asked scontrol requeue "$job"
  asked srun --overlap --jobid="$job" cat "$work/home/cache/tenkai"
done
check "another user is shown our jobs" grep -q 'JobId=' "$work/public/asked"
check "but not their scripts, and cannot end or enter them" \
  [ "$(grep -c 'Invalid user\|Access/permission denied\|Access denied' "$work/public/asked")" -ge 6 ]
check "they are still there" [ "$(squeue -h -o %A | sort -u)" = "$jobs" ]

# Every file of ours and of Slurm's that can be opened.
(cd / && as_nobody find "$work/home" "$work/slurm" "$work/tmp" -type f -readable -print 2>/dev/null |
  while read -r file; do
    printf '%s\n' "$file" >&2
    as_nobody cat "$file" 2>/dev/null
  done) >"$work/opened" 2>"$work/files" || true
check "no file of a launch can be opened" [ "$(grep -c "^$work/home" "$work/files" || true)" = 0 ]
check "its folder is ours alone" [ "$(find "$work/home/cache/tenkai" -mindepth 1 -maxdepth 1 -type d ! -perm 0700 | wc -l)" = 0 ]

# The session has copied them, as long as they were there.
shopt -s nullglob
secrets=("$work"/secret/*)
check "there are secrets to look for (${#secrets[@]})" [ "${#secrets[@]}" -ge 2 ]
touch "$work/go"
wait_for 60 session_has_ended || true
touch "$work/done"
wait "$watcher" || true
grep '^ok: \|^NOT OK: ' "$work/output" || true
! grep -q '^NOT OK' "$work/output" || failed=1
check "and could not look into our processes" [ "$(grep -c READABLE "$work/watched" || true)" = 0 ]
agents=$(grep -ac 'tenkai.*agent' "$work/public/seen" || true)
check "but has seen the command lines of our agents ($agents)" [ "$agents" -ge 4 ]

search() { "$python" -B find_secrets.py "$@" 2>&1; }
found=$(search "${secrets[@]}" -- "$work/secret" | grep -c FOUND || true)
check "the search finds them where they are ($found)" [ "$found" = "${#secrets[@]}" ]
search "${secrets[@]}" -- "$work/public" "$work/opened" "$work/output" "$work"/slurm/{state,spool,log} "$work/tmp" "$work/kept" >"$work/found"
sed 's/^/    /' "$work/found"
check "no secret is in a command line, in what Slurm shows or keeps, in a log, or in a file for others" \
  [ "$(grep -c FOUND "$work/found" || true)" = 0 ]
check "Slurm kept something to search" [ -n "$(find "$work/kept" -name script -size +0)" ]
finish
