# mirai_map(): ours, and mirai's where it is installed.
#
#   Rscript map.R [ROUNDS] [ELEMENTS]
#
# 20,000 elements through identity() on two daemons, each contestant in a fresh session
# for each round; and how much memory the session and its dispatcher have at most while
# 200 elements share a vector of 40 MB. Called by bench/run --map.

arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "5")[1L])
n <- as.integer(c(arguments[-1L], "20000")[1L])
contestants <- c("tenkai", if (nzchar(system.file(package = "mirai"))) "mirai")

# What a script says behind a word.
number_said <- function(code, word) {
  said <- system2(file.path(R.home("bin"), "Rscript"),
                  c("--vanilla", "-e", shQuote(code)), stdout = TRUE)
  as.double(sub(paste0("^", word), "", grep(paste0("^", word, " "), said, value = TRUE)[1L]))
}

# Seconds, the best of three of one session.
take <- function(package) {
  number_said(sprintf("
library(%s)
invisible(daemons(2))
invisible(mirai_map(1:100, identity)[])
take <- function() system.time(mirai_map(seq_len(%d), identity)[])[['elapsed']]
cat('seconds', min(take(), take(), take()), '\\n')
invisible(daemons(0))
", package, n), "seconds")
}

result <- t(vapply(seq_len(rounds), function(i) {
  # Every other round runs in reverse order.
  order <- if (i %% 2L) contestants else rev(contestants)
  vapply(order, take, 0)[contestants]
}, numeric(length(contestants))))
dim(result) <- c(rounds, length(contestants))
colnames(result) <- contestants
print(round(result, 3))

# MB above the start, at most: what is resident, by /proc, which counts pages of memory
# files in each process that has looked at them.
memory <- number_said("
library(tenkai)
invisible(daemons(2))
large <- numeric(5e6)
large[] <- 1
invisible(mirai_map(1:2, function(x) x)[])
peak <- function() {
  of <- function(pid) {
    lines <- readLines(file.path('/proc', pid, 'status'))
    as.double(gsub('[^0-9]', '', grep('^VmHWM', lines, value = TRUE)))
  }
  (of('self') + of(nextget('pid'))) / 1024
}
before <- peak()
m <- mirai_map(1:200, function(x, y) y[x], .args = list(y = large))
stopifnot(identical(unlist(m[]), rep(1, 200)))
cat('MB', peak() - before, '\\n')
invisible(daemons(0))
", "MB")

cat(sprintf("200 elements that share 40 MB: session and dispatcher take %.0f MB more\n",
            memory))
cat("Goals\n")
say <- function(reached, words) {
  cat(sprintf("  %s  %s\n", if (reached) "reached    " else "NOT REACHED", words))
}
if ("mirai" %in% contestants) {
  ratio <- stats::median(result[, "mirai"] / result[, "tenkai"])
  say(ratio >= 15, sprintf("%.1f times as fast as mirai (>= 15)", ratio))
}
say(memory <= 80, sprintf("%.0f MB more than at the start (<= 80)", memory))
