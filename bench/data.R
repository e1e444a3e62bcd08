# Large data: 80 MB to a task and back, 80 MB to a task that returns its sum, and 200 tasks on 4
# daemons that have 40 MB in common; against one copy of the 80 MB into a fresh memory file, and
# against mirai where it is installed. Each contestant has a fresh session in each round:
#
#   Rscript data.R [ROUNDS]
#
# Called by bench/run --data.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L]))
rounds <- as.integer(c(commandArgs(TRUE), "5")[1L])
for (file in c("json.R", "table.R", "goals.R")) source(file.path(here, file))
contestants <- c("tenkai", if (nzchar(system.file(package = "mirai"))) "mirai")

said <- function(command, ...) read_flat(system2(command, c(...), stdout = TRUE))

measure <- function(package) {
  said(file.path(R.home("bin"), "Rscript"), "--vanilla",
       shQuote(file.path(here, "data_contestant.R")), package)
}

all <- lapply(seq_len(rounds), function(i) {
  # Every other round runs in reverse order.
  order <- if (i %% 2L) contestants else rev(contestants)
  numbers <- sapply(order, measure, simplify = FALSE)[contestants]
  c(numbers, list(floor = said(file.path(dirname(Sys.getenv("TENKAI_BIN")), "bench_floor"), "copy")))
})

median_of <- function(ratio) {
  values <- unlist(lapply(all, ratio))
  if (length(values)) stats::median(values) else NA_real_
}
of <- function(who, key) median_of(function(round) round[[who]][[key]])

medians <- list(copy_ms = of("floor", "copy_ms"), tenkai = list(), mirai = list())
for (who in contestants) {
  for (key in names(all[[1L]][[who]])) medians[[who]][[key]] <- of(who, key)
}
folder <- file.path(dirname(dirname(Sys.getenv("TENKAI_BIN"))), "bench")
dir.create(folder, showWarnings = FALSE)
saveRDS(medians, file.path(folder, "data.rds"))

contest <- function(what, key, floor = "") {
  print_row(what, list(floor, of("tenkai", key), of("mirai", key)))
}
copy <- of("floor", "copy_ms")
print_row("Median of the rounds", list("one copy", "tenkai", "mirai"))
contest("80 MB there and back, ms", "echo_ms", copy)
contest("80 MB there, their sum back, ms", "sum_ms", copy)
contest("the sum alone, in the session, ms", "alone_ms")
contest("200 tasks that share 40 MB, s", "shared_s")
contest("all processes above the start, MB", "shared_mb")

faster <- function(key) median_of(function(r) r$mirai[[key]] / r$tenkai[[key]])
copies <- function(key, less = NULL) {
  median_of(function(r) (r$tenkai[[key]] - if (is.null(less)) 0 else r$tenkai[[less]]) / r$floor$copy_ms)
}
print_goals(list(
  goal("80 MB there and back, times as fast as mirai", faster("echo_ms"), ">=", 10),
  goal("the same, against one copy", copies("echo_ms"), "<=", 1.5),
  goal("80 MB there, their sum back, against one copy and the sum", copies("sum_ms", "alone_ms"), "<=", 1.2),
  goal("200 tasks that share 40 MB, times as fast as mirai", faster("shared_s"), ">=", 10),
  goal("all processes above the start, MB", of("tenkai", "shared_mb"), "<=", 100)
))
