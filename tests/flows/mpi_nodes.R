# Launching by MPI, in a job of Slurm over two nodes.
source("common.R")

online <- function() sum(status()$daemons[, "online"])
came <- function(n) wait_for(function() online() == n, 40)
# Where the daemons run, and the agents' pids.
places <- function(n) {
  tasks <- lapply(seq_len(n), function(i) mirai({
    Sys.sleep(0.3)
    c(Sys.getenv("SLURMD_NODENAME"), Sys.getpid())
  }))
  found <- do.call(rbind, lapply(tasks, function(m) call_mirai(m)$data))
  found <- unique(found)
  list(nodes = sort(found[, 1L]), agents = vapply(as.integer(found[, 2L]), parent_of, 1L),
       of = found[, 1L])
}

begun <- now()
invisible(daemons(4, url = "wss://127.0.0.1:0", remote = mpi_config()))
check(sprintf("in a job of two nodes: 4 daemons come, after %.1f s", now() - begun), came(4))
found <- places(4)
check("two on each node", identical(found$nodes, c("n1", "n1", "n2", "n2")))
left <- vapply(1:4, function(i) call_mirai(mirai({
  as.numeric(Sys.getenv("TENKAI_JOB_END")) - as.numeric(Sys.time())
}))$data, 0)
check("they know when the job ends", all(left > 500 & left < 600))
if (failed) print(left)
where <- attr(status(), "launches")$where
check("and it is told where", identical(sort(where), found$nodes))
tools::pskill(found$agents[found$of == "n2"][1L], tools::SIGKILL)
check("one of the other node is killed: the other three are there",
      wait_for(function() online() == 3, 10) &&
        identical(places(3)$nodes, c("n1", "n1", "n2")))
slot <- which(status()$daemons[, "online"] == 0)
invisible(launch_remote(unname(slot), remote = mpi_config()))
check("a later launch comes beside them", came(4) && length(places(4)$of) == 4L)
invisible(daemons(0))
invisible(daemons(4, url = "wss://127.0.0.1:0", remote = mpi_config()))
check("and another one after the end of all of them",
      came(4) && identical(places(4)$nodes, c("n1", "n1", "n2", "n2")))
if (failed) print(attr(status(), "launches"))
cat("ready\n", file = file.path(work, "ready"))
# To be killed.
repeat Sys.sleep(1)
