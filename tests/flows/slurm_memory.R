# What tests/flows/slurm_memory.sh does in an R session.
source("common.R")

runs <- file.path(work, "runs")
greedy <- quote({
  cat("x", file = runs, append = TRUE)
  x <- list()
  for (i in 1:200) {
    x[[i]] <- rep(as.numeric(i), 1e6)
    Sys.sleep(0.01)
  }
  length(x)
})
jobs <- function() system2("squeue", c("-h", "-r", "-o", "%A"), stdout = TRUE)

for (name in c("array", "nodes")) {
  invisible(daemons(profile = name))
  check(paste0(name, ": the daemons come"), wait_for(function() {
    sum(status(name)$daemons[, "online"]) == 2
  }, 40))
  before <- jobs()
  unlink(runs)
  beside <- mirai({
    Sys.sleep(5)
    Sys.getpid()
  }, .compute = name)
  m <- mirai(eval(greedy), greedy = greedy, runs = runs, .compute = name)
  check("  the task resolves", wait_for(function() !unresolved(m), 30))
  words <- attr(m$data, "message")
  check(paste("  which says:", words), is_error_value(m$data) &&
          as.integer(m$data) == 19L && grepl(paste0(
            "^daemon [12] \\(job [0-9_.]+ on n[12]\\) was killed: OUT_OF_MEMORY ",
            "\\(it had [0-9.]+ [MG]iB, and limits\\.memory allows 300 MiB\\) ",
            "while it ran this task"), words))
  check("  it ran as often as the profile says",
        file.size(runs) == if (name == "nodes") 2 else 1)
  check("  the other daemon has gone on", is.integer(call_mirai(beside)$data))
  check("  and the one that was killed comes again, in the same job",
        wait_for(function() sum(status(name)$daemons[, "online"]) == 2, 20) &&
          identical(jobs(), before))
  check("  and works", is.integer(call_mirai(mirai(Sys.getpid(),
                                                   .compute = name))$data))
  daemons(0, .compute = name)
}
finish()
