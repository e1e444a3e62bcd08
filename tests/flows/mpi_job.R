# A job of Slurm, in which MPI spawns the agents in place of srun.
source("common.R")

online <- function() sum(status("spawned")$daemons[, "online"])
nodes <- function(n) {
  tasks <- lapply(seq_len(n), function(i) mirai({
    Sys.sleep(0.3)
    c(Sys.getenv("SLURMD_NODENAME"), Sys.getpid())
  }, .compute = "spawned"))
  found <- do.call(rbind, lapply(tasks, function(m) call_mirai(m)$data))
  unique(found[order(found[, 1L]), , drop = FALSE])
}

begun <- now()
invisible(daemons(profile = "spawned"))
ok <- wait_for(function() online() == 4, 30, must = FALSE)
check(sprintf("a job whose agents MPI spawns: 4 daemons come, after %.1f s", now() - begun), ok)
found <- if (ok) nodes(4)
check("two on each node", identical(found[, 1L], c("n1", "n1", "n2", "n2")))
# The files of jobs are looked at every second.
launches <- function() attr(status("spawned"), "launches")
check("each launch knows its node", wait_for(function() {
  identical(sort(launches()$where), c("n1", "n2"))
}, 10))
if (ok) tools::pskill(parent_of(as.integer(found[3L, 2L])), tools::SIGKILL)
check("one agent is killed: those of the other node are there",
      ok && identical(nodes(2)[, 1L], c("n1", "n1")))
if (failed) {
  print(launches())
  system("cat ${XDG_CACHE_HOME}/tenkai/*/logs/* ${XDG_CACHE_HOME}/tenkai/*/status/*")
}
invisible(daemons(0, .compute = "spawned"))
finish()
