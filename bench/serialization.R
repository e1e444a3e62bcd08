# What hooks cost beside what they do: 100,000 external pointers in one list.
#
#   Rscript serialization.R [ROUNDS]
#
# The hooks themselves, called in this session one after the other, and the same list as
# the argument of a mirai, whose daemon makes the objects again; the two take turns. The
# hooks are a few bytes copied in C (r/tests/testthat/pointers), so all else shows. Called
# by bench/run --hooks.

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

elapsed <- function(expr) system.time(expr)[["elapsed"]]

install_pointers()
library(pointers)
daemons(1, serial = serial_config("pointer", to_raw, from_raw))
x <- lapply(seq_len(n), pointer)
hooks <- function() elapsed(lapply(lapply(x, to_raw), from_raw))
task <- function() {
  seconds <- elapsed(answer <- call_mirai(mirai(length(x), x = x))$data)
  stopifnot(identical(answer, length(x)))
  seconds
}
invisible(c(hooks(), task(), hooks(), task()))
seconds <- replicate(rounds, c(hooks = hooks(), task = task()))
daemons(0)

medians <- apply(seconds, 1L, stats::median)
ratio <- stats::median(seconds["task", ] / seconds["hooks", ])
cat(sprintf("%-44s %8.3f s\n", c("the hooks themselves, out and in", "a task with the list as its argument"), medians),
    sep = "")
cat(sprintf("\n  %-12s  %.0f objects of a registered class, against their hooks  %.2f  (<= 3)\n",
            if (ratio <= 3) "reached" else "NOT REACHED", n, ratio))
