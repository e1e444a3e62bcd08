# One round of one contestant of data.R:
#
#   Rscript data_contestant.R PACKAGE
#
# PACKAGE is tenkai or mirai. Prints one flat JSON object of numbers.

package <- commandArgs(TRUE)[1L]
suppressPackageStartupMessages(library(package, character.only = TRUE))
value_of <- function(m) call_mirai(m)$data
ms <- function(expr) {
  started <- as.double(Sys.time())
  force(expr)
  1e3 * (as.double(Sys.time()) - started)
}
five <- function(work) stats::median(vapply(1:5, function(i) ms(work()), 0))

daemons(1)
x <- runif(1e7)
stopifnot(identical(value_of(mirai(x, x = x)), x), value_of(mirai(sum(x), x = x)) == sum(x))
echo <- five(function() value_of(mirai(x, x = x)))
there <- five(function() value_of(mirai(sum(x), x = x)))
alone <- five(function() sum(x))
daemons(0)
rm(x)
invisible(gc())

# What the processes have for themselves, their part of what several have, and all memory files of
# the machine, also those that nobody has mapped, in MB.
resident <- function(pids) {
  read <- function(file) tryCatch(readLines(file), error = function(e) NULL, warning = function(w) NULL)
  sum_of <- function(lines, name) {
    sum(as.double(gsub("[^0-9]", "", grep(paste0("^", name, ":"), lines, value = TRUE))))
  }
  lines <- unlist(lapply(file.path("/proc", pids, "smaps_rollup"), read))
  (sum_of(lines, "Pss") - sum_of(lines, "Pss_Shmem") + sum_of(read("/proc/meminfo"), "Shmem")) / 1024
}

daemons(4)
everybody <- c(
  Sys.getpid(), if (package == "tenkai") nextget("pid"),
  vapply(lapply(1:4, function(i) mirai({
    Sys.sleep(0.5)
    Sys.getpid()
  })), value_of, 0L)
)
large <- runif(5e6)
before <- resident(everybody)
# Somebody else has to look while the session waits.
watcher <- tempfile(fileext = ".R")
peak <- tempfile()
writeLines(c(
  paste("resident <-", paste(deparse(resident), collapse = "\n")),
  sprintf("pids <- c(%s)", toString(everybody)),
  "most <- 0",
  sprintf("while (!file.exists('%s.end')) {", peak),
  "  most <- max(most, resident(pids))",
  sprintf("  writeLines(format(most), '%s')", peak),
  "  Sys.sleep(0.05)",
  "}",
  sprintf("writeLines(format(most), '%s.done')", peak)
), watcher)
system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", shQuote(watcher)), wait = FALSE)
while (!file.exists(peak)) Sys.sleep(0.05)
shared <- ms({
  tasks <- lapply(1:200, function(i) mirai(large[[i]], large = large, i = i))
  stopifnot(identical(vapply(tasks, value_of, 0), large[1:200]))
})
file.create(paste0(peak, ".end"))
while (!file.exists(paste0(peak, ".done"))) Sys.sleep(0.05)
most <- as.double(readLines(paste0(peak, ".done")))
daemons(0)

cat(sprintf(
  '{"echo_ms": %.10g, "sum_ms": %.10g, "alone_ms": %.10g, "shared_s": %.10g, "shared_mb": %.10g}\n',
  echo, there, alone, shared / 1e3, most - before
))
