# What hooks cost beside what they do: 100,000 external pointers in one list.
#
#   Rscript serialization.R [ROUNDS]
#
# The hooks themselves, called in this session one after the other, and the same list as
# the argument of a mirai, whose daemon makes the objects again; the two take turns. The
# hooks are a few bytes copied in C (r/tests/testthat/pointers), so all else shows. The CPU
# time counts where the machine has other work. Called by bench/run --hooks.

library(tenkai)
rounds <- as.integer(c(commandArgs(TRUE), "7")[1L])
here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
n <- 1e5

# Compiled where nothing stays behind.
install_pointers <- function() {
  folder <- tempfile("pointers-")
  dir.create(file.path(folder, "library"), recursive = TRUE)
  file.copy(file.path(dirname(here), "../r/tests/testthat/pointers"), folder, recursive = TRUE)
  said <- system2(file.path(R.home("bin"), "R"), stdout = TRUE, stderr = TRUE,
                  c("CMD", "INSTALL", "--no-docs", "-l", file.path(folder, "library"), file.path(folder, "pointers")))
  if (!is.null(attr(said, "status"))) stop(paste(said, collapse = "\n"))
  .libPaths(c(file.path(folder, "library"), .libPaths()))
}

# Seconds on the clock and of processors, those of the daemon added.
measure <- function(expr) {
  daemon <- function() call_mirai(mirai(sum(proc.time()[1:2])))$data
  before <- daemon()
  took <- system.time(expr)
  c(elapsed = took[["elapsed"]], cpu = sum(took[c("user.self", "sys.self")]) + daemon() - before)
}

install_pointers()
library(pointers)
invisible(daemons(1, serial = serial_config("pointer", to_raw, from_raw)))
x <- lapply(seq_len(n), pointer)
hooks <- function() measure(lapply(lapply(x, to_raw), from_raw))
task <- function() measure(stopifnot(identical(call_mirai(mirai(length(x), x = x))$data, length(x))))
for (i in 1:2) c(hooks(), task())
seconds <- replicate(rounds, c(hooks = hooks(), task = task()))
invisible(daemons(0))

medians <- apply(seconds, 1L, stats::median)
cat(sprintf("%-40s %8s %8s\n", "seconds", "elapsed", "CPU"))
cat(sprintf("%-40s %8.3f %8.3f\n", c("the hooks themselves, out and in", "a task with the list as its argument"),
            medians[c("hooks.elapsed", "task.elapsed")], medians[c("hooks.cpu", "task.cpu")]), sep = "")
for (what in c("elapsed", "cpu")) {
  ratio <- stats::median(seconds[paste0("task.", what), ] / seconds[paste0("hooks.", what), ])
  cat(sprintf("  %-12s  %.0f objects with hooks against the hooks, %-8s %.2f  (<= 3)\n",
              if (ratio <= 3) "reached" else "NOT REACHED", n, what, ratio))
}
