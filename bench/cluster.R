# A cluster of package parallel: ours, one of sockets (PSOCK), and mirai's where
# it is installed.
#
#   Rscript cluster.R [ROUNDS] [TASKS]
#
# 2,000 no-ops by parLapplyLB(), one to a message, on two nodes. Each contestant
# has a fresh session for each round: mirai's methods would take the place of
# ours. Called by bench/run --cluster.

here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
source(file.path(dirname(here), "sessions.R"))
library(parallel)
arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "5")[1L])
n <- as.integer(c(arguments[-1L], "2000")[1L])

makers <- list(
  tenkai = quote(tenkai::make_cluster(2)),
  psock = quote(parallel::makeCluster(2, type = "PSOCK")),
  mirai = quote(mirai::make_cluster(2))
)
if (!nzchar(system.file(package = "mirai"))) makers$mirai <- NULL

# Seconds, the best of three of one session.
code <- "
cl <- %s
take <- function() system.time(
  parallel::parLapplyLB(cl, seq_len(%d), function(i) NULL, chunk.size = 1)
)[['elapsed']]
cat('seconds', min(take(), take(), take()), '\n')
parallel::stopCluster(cl)
"

take <- function(maker) {
  seconds_of(sprintf(code, deparse(maker), n))
}

result <- compare_sessions(makers, rounds, take)

goal <- function(other, limit) {
  if (!other %in% colnames(result)) return(cat("  not measured ", other, "\n"))
  ratio <- stats::median(result[, other] / result[, "tenkai"])
  cat(sprintf("  %s  %.2f times as fast as %s (>= %g)\n",
              if (ratio >= limit) "reached    " else "NOT REACHED", ratio,
              other, limit))
}
cat("Goals\n")
goal("mirai", 3)
goal("psock", 1)
