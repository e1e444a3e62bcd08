# What R itself needs for a no-op task and its value, both sides in one process:
# the session serializes the task, the daemon unserializes it, evaluates it in a
# new environment and serializes the value, the session unserializes that. No
# system that evaluates R in another process can do with less.
#
#   Rscript r_part.R [TIMES]

times <- as.integer(c(commandArgs(trailingOnly = TRUE), "5000")[1L])

task_and_value <- function() {
  task <- serialize(list(quote(NULL), list(), list()), NULL, xdr = FALSE)
  parcel <- unserialize(task)
  value <- eval(parcel[[1L]], new.env(parent = globalenv()))
  unserialize(serialize(value, NULL, xdr = FALSE))
}

measure <- function(times) {
  took <- numeric(times)
  for (i in seq_len(times)) {
    started <- Sys.time()
    task_and_value()
    took[i] <- Sys.time() - started
  }
  1e6 * took
}

invisible(measure(1000L))
took <- measure(times)
cat(sprintf('{"r_median_us": %.3f, "r_p99_us": %.3f}\n', median(took),
            quantile(took, 0.99)))
