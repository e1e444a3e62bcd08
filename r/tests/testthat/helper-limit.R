# Every test has a limit, for what never ends, not for what is slow: where it
# strikes, the test fails with an error that says what has waited. A test that
# needs more seconds says so: test_that("...", { ... }, limit = 300).
#
# It is R's limit of a session, since some tests set R's other limit themselves. A
# task that runs in this session ends it, and who expects an error may have got
# the one of the limit: so each expectation sets it again.

running_test <- new.env()

test_that <- function(desc, code, limit = 120) {
  running_test$name <- desc
  running_test$limit <- limit
  running_test$until <- Sys.time() + limit
  on.exit(end_limit())
  set_limit()
  code <- bquote({
    limited(.(substitute(code)))
  })
  eval(bquote(testthat::test_that(.(desc), .(code))), parent.frame())
}

seconds_left <- function() {
  as.numeric(difftime(running_test$until, Sys.time(), units = "secs"))
}

# Where it has struck, what the test cleans up with has a time of its own.
set_limit <- function() {
  setSessionTimeLimit(elapsed = max(seconds_left(), running_test$limit / 4))
  setTimeLimit()
}

end_limit <- function() {
  setSessionTimeLimit()
  setTimeLimit()
}

# A test's code, in the test's own frame, so that what it cleans up with when it ends
# is limited, too.
limited <- function(code) {
  code <- substitute(code)
  frame <- parent.frame()
  # This call, withCallingHandlers(), and the two of eval().
  before <- sys.nframe() + 3L
  withCallingHandlers(
    eval(code, frame),
    expectation = function(condition) set_limit(),
    error = function(condition) {
      struck <- "reached session elapsed time limit"
      if (!identical(conditionMessage(condition), struck)) return()
      set_limit()
      # Behind the test's calls is the one of R's that calls this one.
      calls <- sys.calls()[seq_len(sys.nframe() - 2L)][-seq_len(before)]
      stop(what_waits(calls, conditionCall(condition)), call. = FALSE)
    }
  )
}

# `calls`: of the test, the outermost first; `last`: the one that was interrupted.
# There are none where the test waits in a loop of its own.
what_waits <- function(calls, last) {
  shown <- function(call) {
    paste0("  ", deparse(call, width.cutoff = 80L, nlines = 10L), collapse = "\n")
  }
  paste(c(
    sprintf("\"%s\" has waited in vain: its limit of %g s has struck",
            running_test$name, running_test$limit),
    if (length(calls)) c("in", shown(calls[[1L]]), "at", shown(last))
  ), collapse = "\n")
}
