#!/usr/bin/env bash
# Workers of crew, launched by `tenkai carry` in a private Slurm.
# time limit: 300 s
. "$(dirname "$0")/slurm.sh"
need_packages crew
start_profiles <<<'profiles: {jobs: {launcher: slurm, url: "wss://:0", slurm: {time: "10"}}}'

run_carried "the end of the session" <<'R'
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
finish
