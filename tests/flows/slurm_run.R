# One script for a laptop, an allocation and `tenkai run`; see slurm_run.sh.
library(tenkai)
arguments <- commandArgs(trailingOnly = TRUE)
cat("arguments:", arguments, "\n")

# Tasks that take a moment, so that each daemon has some.
work <- function(i) {
  Sys.sleep(0.3)
  list(node = Sys.getenv("SLURMD_NODENAME"), pid = Sys.getpid(), value = i^2)
}
daemons(4)
tasks <- lapply(1:8, function(i) mirai(work(i), work = work, i = i))
results <- lapply(tasks, function(task) call_mirai(task)$data)
cat("values:", vapply(results, `[[`, 0, "value"), "\n")
cat("nodes:", sort(unique(vapply(results, `[[`, "", "node"))), "\n")
cat("daemons:", length(unique(vapply(results, `[[`, 0L, "pid"))), "\n")

nested <- mirai({
  tenkai::daemons(2)
  inner <- lapply(1:4, function(i) tenkai::mirai({
    Sys.sleep(0.2)
    Sys.getenv("SLURMD_NODENAME")
  }))
  nodes <- vapply(inner, function(each) tenkai::call_mirai(each)$data, "")
  tenkai::daemons(0)
  c(length(unique(nodes)), all(nodes == Sys.getenv("SLURMD_NODENAME")))
})
cat("nested, all on its own node:", call_mirai(nested)$data, "\n")

# A step that a task starts itself, where there are any.
job <- Sys.getenv("SLURM_JOB_ID")
step <- if (nzchar(job)) {
  own <- mirai(system("timeout 20 srun -N1 -n1 printenv SLURM_JOB_ID", intern = TRUE))
  call_mirai(own)$data
}
cat("a task's own step:", identical(step, if (nzchar(job)) job), "\n")

daemons(2, .compute = "side")
sides <- lapply(1:4, function(i) mirai({
  Sys.sleep(0.3)
  Sys.getpid()
}, .compute = "side"))
pids <- vapply(sides, function(task) call_mirai(task)$data, 0L)
cat("side:", length(unique(pids)), "\n")
daemons(0, .compute = "side")
again <- mirai("the first ones stay")
cat(call_mirai(again)$data, "\n")

if ("stay" %in% arguments) {
  file.create("ready")
  Sys.sleep(600)
}
daemons(0)
quit(status = 7)
