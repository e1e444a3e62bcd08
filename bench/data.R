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

print_row("Median of the rounds", list("one copy", contestants[1L], "mirai"))
print_row("80 MB there and back, ms", list(of("floor", "copy_ms"), of("tenkai", "echo_ms"), of("mirai", "echo_ms")))
print_row("80 MB there, their sum back, ms", list(of("floor", "copy_ms"), of("tenkai", "sum_ms"), of("mirai", "sum_ms")))
print_row("the sum alone, in the session, ms", list("", of("tenkai", "alone_ms"), of("mirai", "alone_ms")))
print_row("200 tasks that share 40 MB, s", list("", of("tenkai", "shared_s"), of("mirai", "shared_s")))
print_row("all their processes above the start, MB", list("", of("tenkai", "shared_mb"), of("mirai", "shared_mb")))
print_goals(list(
  goal("80 MB there and back, times as fast as mirai", median_of(function(r) r$mirai$echo_ms / r$tenkai$echo_ms), ">=", 10),
  goal("the same, against one copy", median_of(function(r) r$tenkai$echo_ms / r$floor$copy_ms), "<=", 1.5),
  goal("80 MB there, their sum back, without the sum, against one copy",
       median_of(function(r) (r$tenkai$sum_ms - r$tenkai$alone_ms) / r$floor$copy_ms), "<=", 1.2),
  goal("200 tasks that share 40 MB, times as fast as mirai", median_of(function(r) r$mirai$shared_s / r$tenkai$shared_s), ">=", 10),
  goal("all their processes above the start, MB", of("tenkai", "shared_mb"), "<=", 100)
))
