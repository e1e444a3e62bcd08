#!/usr/bin/env bash
# Daemons of the real mirai, launched by `tenkai carry` in a private Slurm.
# time limit: 300 s
. "$(dirname "$0")/slurm.sh"
need_packages mirai
start_profiles <<'YAML'
profiles:
  jobs: {launcher: slurm, url: "wss://:0", slurm: {time: "10"}}
  pairs: {launcher: slurm, url: "wss://:0", slurm: {time: "10", array-chunk: 2}}
YAML

run_carried "a session that was killed" 137 <<'R'
library(mirai)
stopifnot(packageVersion("mirai") < "2.7.3.1")
ok <- function(sentence, holds) cat(if (isTRUE(holds)) "ok: " else "NOT OK: ", sentence, "\n", sep = "")
arrays <- function() {
  unique(system2("squeue", c("-h", "-r", "-o", "%F"), stdout = TRUE))
}
come <- function(n) {
  until <- Sys.time() + 100
  while (status()$connections < n && Sys.time() < until) Sys.sleep(0.1)
  status()$connections
}
daemons(4, url = host_url(tls = TRUE), remote = tenkai::carry("jobs"))
ok("four daemons of mirai come", come(4) == 4L)
ok("  as one array", length(arrays()) == 1L)
ok("  in jobs", all(nzchar(unlist(everywhere(Sys.getenv("SLURM_JOB_ID"))[]))))
ok("  and work", identical(mirai_map(1:20, function(x) x^2)[.flat], (1:20)^2))
invisible(launch_remote(2, remote = tenkai::carry("pairs")))
ok("two more, in one job, are beside them", come(6) == 6L && length(arrays()) == 2L)
daemons(0)
until <- Sys.time() + 60
while (length(arrays()) && Sys.time() < until) Sys.sleep(0.1)
ok("when mirai ends its daemons, the jobs end", !length(arrays()))

daemons(1, url = local_url(tcp = TRUE), remote = tenkai::carry("jobs", rscript = "/no/Rscript"))
until <- Sys.time() + 60
while (!any(grepl("rscript_missing", readLines("said", warn = FALSE))) && Sys.time() < until) Sys.sleep(0.1)
daemons(1, url = local_url(tcp = TRUE), remote = tenkai::carry("jobs"))
ok("one more", come(1) == 1L)
# Without a word: what it has launched ends all the same.
tools::pskill(Sys.getpid(), tools::SIGKILL)
R
finish
