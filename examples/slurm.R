# Daemons as jobs of Slurm, by a compute profile: `scripts/demo slurm` runs it on a
# Slurm of its own. On a cluster, name a profile of your site in place of "demo".
library(tenkai)

say <- function(...) cat("\n# ", ..., "\n", sep = "")

say("The profile says how many daemons, and how they are launched.")
daemons(profile = "demo")

say("They are jobs now, and join as Slurm starts them. Tasks can be given at once.")
tasks <- lapply(1:8, function(i) {
  mirai({
    Sys.sleep(0.2)
    c(job = Sys.getenv("SLURM_JOB_ID"), node = Sys.getenv("SLURMD_NODENAME"))
  }, .compute = "demo")
})
where <- do.call(rbind, lapply(tasks, function(task) call_mirai(task)$data))
as.data.frame(table(job = where[, "job"], node = where[, "node"]),
              responseName = "tasks", stringsAsFactors = FALSE)

say("What became of each launch.")
attr(status(.compute = "demo"), "launches")

say("An error in a task is a value here, and the daemon goes on.")
m <- mirai(stop("not on this node"), .compute = "demo")
call_mirai(m)$data

say("Without daemons there are no jobs. What squeue says after two seconds:")
daemons(0, .compute = "demo")
Sys.sleep(2)
system2("squeue")
