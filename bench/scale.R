# What size costs the dispatcher: ten times as many daemons, and a million tasks in the queue.
#
#   Rscript scale.R [ROUNDS]
#
# TENKAI_BIN names the program; bench_swarm is beside it. Called by bench/run --scale.

here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
source(file.path(dirname(here), "json.R"))
rounds <- as.integer(c(commandArgs(TRUE), "3")[1L])
tenkai <- Sys.getenv("TENKAI_BIN")

swarm <- function(...) {
  lines <- system2(file.path(dirname(tenkai), "bench_swarm"), c(...), stdout = TRUE, timeout = 600)
  if (!is.null(attr(lines, "status"))) stop("bench_swarm ", paste(c(...), collapse = " "), " failed")
  read_flat(lines)
}

growth <- vapply(seq_len(rounds), function(i) {
  took <- swarm("tasks", shQuote(tenkai), "1000", "10000", "100000", "2000")
  cat(sprintf("CPU per task: 1,000 daemons %.2f us, 10,000 daemons %.2f us\n", took$few_cpu_per_task_us,
              took$many_cpu_per_task_us))
  took$many_cpu_per_task_us / took$few_cpu_per_task_us
}, 0)
queue <- swarm("queue", shQuote(tenkai), "1000000", "200")

verdict <- function(reached) if (reached) "reached" else "NOT REACHED"
cat(sprintf("Goals\n  %-12s  10,000 daemons against 1,000, CPU of the dispatcher per task  %.2f  (<= 1.2)\n",
            verdict(stats::median(growth) <= 1.2), stats::median(growth)))
cat(sprintf("  %-12s  %.0f tasks of %.0f bytes in the queue, bytes of memory each  %.0f  (<= 1024)\n",
            verdict(queue$queued_bytes_each <= 1024), queue$queued_tasks, queue$task_bytes,
            queue$queued_bytes_each))
cat(sprintf("  handed out and resolved, two daemons that answer at once: %.1f us each\n",
            queue$hand_out_us_each))
