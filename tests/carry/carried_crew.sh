#!/usr/bin/env bash
# Workers of crew, launched by `tenkai carry` in a private Slurm.
# time limit: 300 s
. "$(dirname "$0")/../flows/common.sh"
. ../slurm/cluster.sh
need_slurm
trap 'stop_slurm; clean_up' EXIT
unset "${!SLURM_@}" TENKAI_ALLOCATION TENKAI_AS_MIRAI
export XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config
mkdir -p "$XDG_CACHE_HOME" "$XDG_CONFIG_HOME/tenkai"
cd "$work"
start_slurm "$work/slurm"
echo 'profiles: {jobs: {launcher: slurm, url: "wss://:0", slurm: {time: "10"}}}' >profiles.yaml
export TENKAI_CONFIG=$work/profiles.yaml
cat >session.R <<'R'
ok <- function(sentence, holds) cat(if (isTRUE(holds)) "ok: " else "NOT OK: ", sentence, "\n", sep = "")
controller <- tenkai::carry_crew("jobs", workers = 3, host = "127.0.0.1")
controller$start()
jobs <- unlist(controller$map(Sys.getenv("SLURM_JOB_ID"), iterate = list(i = 1:12), error = "stop")$result)
ok("twelve tasks are done by workers in jobs", length(jobs) == 12L && all(nzchar(jobs)))
controller$terminate()
no_jobs <- function() !length(system2("squeue", "-h", stdout = TRUE))
until <- Sys.time() + 60
while (!no_jobs() && Sys.time() < until) Sys.sleep(0.1)
ok("when the controller ends, so do the jobs", no_jobs())

broken <- tenkai::carry_crew("jobs", host = "127.0.0.1", rscript = "/no/Rscript")
broken$start()
broken$launch(n = 1L)
until <- Sys.time() + 60
while (!any(grepl("rscript_missing", readLines("said", warn = FALSE))) && Sys.time() < until) Sys.sleep(0.1)
R
TENKAI_FLOW=$mark timeout 200 Rscript --vanilla session.R >said 2>&1 </dev/null || failed=1
grep '^ok: \|^NOT OK: ' said || :
check "an R that is not there is told" grep -q 'tenkai carry: worker [0-9]*: rscript_missing: ' said
no_jobs() { [ -z "$(squeue -h -o %i)" ]; }
check "the end of the session leaves no job" wait_for 60 no_jobs
check "and no process" wait_for 60 nothing_is_left
[ "$failed" = 0 ] || cat said
finish
