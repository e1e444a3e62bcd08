# purrr's in_parallel() on the package mirai of tenkai, and on mirai itself.
#
#   Rscript purrr.R [ROUNDS] [ELEMENTS]
#
# map() over 2,000 elements that return themselves, on two daemons. R_LIBS names a library
# with purrr, carrier and mirai. Each contestant has a fresh session for each round: one
# session has one package mirai. Called by bench/run --purrr.

here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
source(file.path(dirname(here), "sessions.R"))
arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "5")[1L])
n <- as.integer(c(arguments[-1L], "2000")[1L])
needed <- c("purrr", "carrier", "mirai")
missing <- needed[!nzchar(vapply(needed, function(name) system.file(package = name), ""))]
if (length(missing)) stop("not installed: ", toString(missing), "; R_LIBS can name a library that has it")

makers <- list(tenkai = "suppressMessages(tenkai::use_as_mirai())", mirai = "")

# Seconds, the best of three of one session.
code <- "
%s
library(purrr)
invisible(mirai::daemons(2))
take <- function() system.time(map(1:%d, in_parallel(function(x) x)))[['elapsed']]
cat('seconds', min(take(), take(), take()), '\n')
invisible(mirai::daemons(0))
"

take <- function(maker) {
  seconds_of(sprintf(code, maker, n))
}

result <- compare_sessions(makers, rounds, take)
ratio <- stats::median(result[, "mirai"] / result[, "tenkai"])
cat("Goals\n")
cat(sprintf("  %s  map(1:%d, in_parallel()) %.2f times as fast as on mirai (>= 3)\n",
            if (ratio >= 3) "reached    " else "NOT REACHED", n, ratio))
