# Futures on plan(tenkai::future_backend), on multisession, and on future.mirai where it
# is installed.
#
#   Rscript future.R [ROUNDS]
#
# 2,000 no-ops by future_lapply() on two workers, as it makes futures of them by itself
# (two), and 20 to a future; and 200 single futures, each of whose values is waited for.
# Each contestant has a fresh session for each round. Called by bench/run --future.

rounds <- as.integer(c(commandArgs(TRUE), "5")[1L])
for (package in c("future", "future.apply")) {
  if (!nzchar(system.file(package = package))) {
    stop("the package ", package, " is needed: install it, or name its library in ",
         "R_LIBS", call. = FALSE)
  }
}

plans <- c(
  tenkai = "tenkai::future_backend, workers = 2",
  multisession = "future::multisession, workers = 2",
  mirai = "future.mirai::mirai_multisession, workers = 2"
)
if (!nzchar(system.file(package = "future.mirai"))) {
  plans <- plans[names(plans) != "mirai"]
}

# Seconds for each of the three; the first two are the better of two.
code <- "
suppressWarnings(future::plan(%s))
no_op <- function(i) NULL
take <- function(...) system.time(
  future.apply::future_lapply(1:2000, no_op, ...)
)[['elapsed']]
best <- function(...) min(take(...), take(...))
for (i in 1:4) future::value(future::future(i))
whole <- best()
twenties <- best(future.chunk.size = 20)
singles <- system.time(
  for (i in 1:200) future::value(future::future(i))
)[['elapsed']]
cat('seconds', whole, twenties, singles, '\\n')
future::plan(future::sequential)
"
rows <- c("future_lapply, 2 futures", "future_lapply, 100 futures",
          "200 single futures")

take <- function(plan) {
  said <- system2(file.path(R.home("bin"), "Rscript"),
                  c("--vanilla", "-e", shQuote(sprintf(code, plan))),
                  stdout = TRUE)
  line <- grep("^seconds ", said, value = TRUE)[1L]
  as.double(strsplit(line, " ", fixed = TRUE)[[1L]][2:4])
}

result <- lapply(seq_len(rounds), function(i) {
  # Every other round runs in reverse order.
  order <- if (i %% 2L) seq_along(plans) else rev(seq_along(plans))
  took <- matrix(NA_real_, 3L, length(plans), dimnames = list(rows, names(plans)))
  for (k in order) took[, k] <- take(plans[[k]])
  print(round(took, 3))
  took
})

goal <- function(row, other, limit) {
  if (!other %in% names(plans)) return(cat("  not measured ", other, "\n"))
  ratio <- stats::median(vapply(result, function(took) {
    took[row, other] / took[row, "tenkai"]
  }, 0))
  said <- if (is.na(limit)) "           " else if (isTRUE(ratio >= limit)) {
    "reached    "
  } else {
    "NOT REACHED"
  }
  cat(sprintf("  %s  %s: %.2f times as fast as %s%s\n", said, rows[row], ratio,
              other, if (is.na(limit)) "" else sprintf(" (>= %g)", limit)))
}
cat("Goals\n")
goal(1L, "mirai", 3)
goal(1L, "multisession", 1)
cat("Beside them\n")
for (other in c("mirai", "multisession")) for (row in 2:3) goal(row, other, NA)
