# Contestants that each have a fresh session for each round. Sourced by what compares them.

# Seconds, from the last line "seconds NUMBER" that a fresh R prints which evaluates `code`.
seconds_of <- function(code) {
  said <- system2(file.path(R.home("bin"), "Rscript"),
                  c("--vanilla", "-e", shQuote(code)), stdout = TRUE)
  as.double(sub("seconds ", "", grep("^seconds ", said, value = TRUE)[1L]))
}

# A row for each round, a column for each of `makers`, which `take` gives seconds for.
compare_sessions <- function(makers, rounds, take) {
  result <- t(vapply(seq_len(rounds), function(i) {
    # Every other round runs in reverse order.
    order <- if (i %% 2L) seq_along(makers) else rev(seq_along(makers))
    took <- numeric(length(makers))
    for (k in order) took[k] <- take(makers[[k]])
    took
  }, numeric(length(makers))))
  colnames(result) <- names(makers)
  print(round(result, 3))
  result
}
