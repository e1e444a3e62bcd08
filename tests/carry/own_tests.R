# Runs the test file that package mirai ships, unedited, and counts its assertions.
#
#   Rscript own_tests.R TESTS.R [KNOWN]
#
# A failure of that file's own helpers ends it; here each assertion is counted, with a
# line that says `ok:` or `NOT OK:`, and the next one follows. KNOWN lists those that are
# expected to fail, a line each: the words of the assertion, a tab, and why; lines that
# begin with # are for readers. A failure of these is `known:`. One of them that does not
# fail any more is `NOT OK:`, too. Statements between assertions that fail count as none of
# them. A reason that begins with "nanonext" says that the assertion names one of its
# objects. Called by own_tests.sh.

# Its own names are none of the global environment, which is the file's.
local({
  arguments <- commandArgs(TRUE)
  parsed <- parse(arguments[1L], keep.source = FALSE)
  seen <- new.env()
  seen$passed <- seen$failed <- seen$between <- character()
  known <- local({
    lines <- if (length(arguments) > 1L) readLines(arguments[2L])
    lines <- grep("^(#|$)", lines, value = TRUE, invert = TRUE)
    list(words = sub("\t.*", "", lines), why = sub("^[^\t]*\t*", "", lines))
  })

  # What comes twice counts twice.
  setdiff_all <- function(x, y) x[!x %in% y]

  words_of <- function(call) {
    substr(gsub("[[:space:]]+", " ", paste(deparse(call, 500L), collapse = " ")), 1L, 160L)
  }

  note_failure <- function(words, said, kind = "failed") {
    seen[[kind]] <- c(seen[[kind]], words)
    at <- match(words, known$words)
    cat(if (is.na(at)) "NOT OK: " else "known: ", words, "\n    ",
        substr(said, 1L, 300L), "\n",
        if (!is.na(at)) paste0("    ", known$why[at], "\n"), sep = "")
  }

  # In place of that file's helpers, which stop at the first failure.
  counted <- function(helper) {
    force(helper)
    function(...) {
      words <- words_of(sys.call())
      ok <- tryCatch({
        helper(...)
        TRUE
      }, error = function(condition) conditionMessage(condition))
      passes <- isTRUE(ok)
      if (nzchar(Sys.getenv("TENKAI_TRACE"))) message(words)
      if (passes) {
        seen$passed <- c(seen$passed, words)
        cat("ok: ", words, "\n", sep = "")
      } else {
        note_failure(words, ok)
      }
      invisible(passes)
    }
  }

  is_helper <- function(call) {
    is.call(call) && identical(call[[1L]], as.name("<-")) && grepl("^test_", as.character(call[[2L]])[1L])
  }

  # What stands between assertions may fail, too: then those that need it do.
  run <- function(call) {
    tryCatch(eval(call, globalenv()), error = function(condition) {
      note_failure(words_of(call), paste("error:", conditionMessage(condition)),
                   "between")
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

  all_failed <- c(seen$failed, seen$between)
  gone <- setdiff(known$words, all_failed)
  if (length(gone)) cat(paste0("NOT OK: listed, but no failure: ", gone, "\n"), sep = "")
  share <- function(failed) {
    passed <- length(seen$passed)
    total <- passed + length(failed)
    sprintf("%d of %d (%.1f %%)", passed, total, 100 * passed / total)
  }
  of_nanonext <- known$words[startsWith(known$why, "nanonext")]
  cat("assertions that passed:", share(seen$failed), "\n  of those that name no object of nanonext:",
      share(setdiff_all(seen$failed, of_nanonext)), "\n")
  if (length(gone) || !all(all_failed %in% known$words)) quit(status = 1L)
})
