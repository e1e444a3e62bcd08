# Runs the test file that package mirai ships, unedited, and counts its assertions.
#
#   Rscript own_tests.R TESTS.R [KNOWN]
#
# A failure of that file's own helpers ends it; here each assertion is counted and the
# next one follows. KNOWN lists those that are expected to fail, a line each: the words
# of the assertion, a tab, and why. What fails and is not listed, or is listed and
# passes, is a failure. Called by scripts/test --carry.

# Its own names are none of the global environment, which is the file's.
local({
  arguments <- commandArgs(TRUE)
  parsed <- parse(arguments[1L], keep.source = FALSE)
  seen <- new.env()
  seen$passed <- seen$failed <- character()

  words_of <- function(call) {
    substr(gsub("[[:space:]]+", " ", paste(deparse(call, 500L), collapse = " ")), 1L, 160L)
  }

  # In place of that file's helpers, which stop at the first failure.
  counted <- function(helper) {
    force(helper)
    function(...) {
      call <- sys.call()
      ok <- tryCatch({
        helper(...)
        TRUE
      }, error = function(condition) conditionMessage(condition))
      passes <- isTRUE(ok)
      if (nzchar(Sys.getenv("TENKAI_TRACE"))) message(words_of(call))
      kind <- if (passes) "passed" else "failed"
      seen[[kind]] <- c(seen[[kind]], words_of(call))
      if (!passes) cat("failed: ", words_of(call), "\n    ", substr(ok, 1L, 300L), "\n", sep = "")
      invisible(passes)
    }
  }

  is_helper <- function(call) {
    is.call(call) && identical(call[[1L]], as.name("<-")) && grepl("^test_", as.character(call[[2L]])[1L])
  }

  # What stands between assertions may fail, too: then those that need it do.
  run <- function(call) {
    tryCatch(eval(call, globalenv()), error = function(condition) {
      cat("error: ", words_of(call), "\n    ", substr(conditionMessage(condition), 1L, 300L), "\n", sep = "")
      seen$failed <- c(seen$failed, words_of(call))
    })
  }

  # The statements of `condition && { ... }`, one by one.
  walk <- function(call) {
    if (is.call(call) && identical(call[[1L]], as.name("&&"))) {
      body <- call[[3L]]
      if (is.call(body) && identical(body[[1L]], as.name("{"))) {
        if (isTRUE(tryCatch(eval(call[[2L]], globalenv()), error = function(e) FALSE))) {
          lapply(as.list(body)[-1L], walk)
        }
        return(invisible())
      }
    }
    run(call)
  }

  for (call in as.list(parsed)) {
    if (is_helper(call)) {
      name <- as.character(call[[2L]])
      assign(name, if (name == "test_library") eval(call[[3L]]) else counted(eval(call[[3L]])), globalenv())
    } else {
      walk(call)
    }
  }

  known <- if (length(arguments) > 1L) {
    read.delim(arguments[2L], header = FALSE, quote = "", comment.char = "#", col.names = c("words", "why"))
  }
  unexpected <- setdiff(seen$failed, known$words)
  gone <- setdiff(known$words, seen$failed)
  total <- length(seen$passed) + length(seen$failed)
  cat(sprintf("%d of %d assertions passed (%.1f %%)\n", length(seen$passed), total,
              100 * length(seen$passed) / total))
  if (length(unexpected)) cat("not listed:", unexpected, sep = "\n  ")
  if (length(gone)) cat("listed, but no failure:", gone, sep = "\n  ")
  if (length(unexpected) || length(gone)) quit(status = 1L)
})
