# Whether R answers in a task as it does to Rscript: answers.R has the questions.

fields <- c("value", "class", "message", "call", "trace")

# list(text, expr, differs): the expressions of the file, and in what each may differ.
read_questions <- function(path) {
  lines <- readLines(path, encoding = "UTF-8")
  parsed <- parse(path, keep.source = TRUE, encoding = "UTF-8")
  lapply(attr(parsed, "srcref"), function(source) {
    text <- paste(as.character(source), collapse = "\n")
    before <- if (source[1L] > 1L) lines[source[1L] - 1L] else ""
    differs <- if (startsWith(before, "#! ")) {
      strsplit(sub("^#! ([a-z, ]+): .*", "\\1", before), ", ")[[1L]]
    }
    list(text = text, expr = parse(text = text, keep.source = FALSE)[[1L]],
         differs = differs)
  })
}

# A script that answers at R's top level, and goes on after errors, as R does
# where options(error =) says what to do.
script_for <- function(questions, output) {
  each <- vapply(questions, function(question) {
    paste(".start()", paste(".value <-", question$text), ".keep()", sep = "\n")
  }, "")
  c("
    .answers <- list()
    .start <- function() {
      .error <<- NULL
      .value <<- .start
    }
    .is_mine <- function(call) {
      f <- if (identical(call[[1L]], quote(.handleSimpleError))) call[[2L]] else
        call[[1L]]
      is.function(f) && identical(f, .note)
    }
    .note <- function(condition) {
      if (!is.null(.error)) return()
      .error <<- list(condition = condition, calls = sys.calls())
    }
    .told <- function(condition, calls) {
      mine <- which(vapply(calls, .is_mine, NA))
      calls <- rev(calls[seq_len(mine[1L] - 1L)])
      list(
        class = class(condition), message = conditionMessage(condition),
        call = conditionCall(condition), trace = lapply(calls, function(call) {
          paste(deparse(call, nlines = 50L), collapse = '\n')
        })
      )
    }
    .keep <- function() {
      .answers[[length(.answers) + 1L]] <<-
        if (!identical(.value, .start)) list(value = .value) else
        if (is.null(.error)) list() else
        .told(.error$condition, .error$calls)
      setTimeLimit()
      options(.options)
    }
    globalCallingHandlers(error = .note)
    options(error = quote(invisible()))
    .options <- options()
  ", each, sprintf("saveRDS(.answers, '%s')", output))
}

answers_of_rscript <- function(questions) {
  output <- tempfile(fileext = ".rds")
  on.exit(unlink(output))
  said <- run_session(script_for(questions, output))
  if (!file.exists(output)) stop(paste(tail(said, 20), collapse = "\n"))
  readRDS(output)
}

answer_of_task <- function(expr) {
  value <- value_of(eval(bquote(mirai(.(expr)))))
  if (!is_mirai_error(value)) return(list(value = value))
  condition <- value$condition
  call <- conditionCall(condition)
  # What the condition says may need a method that only the task had.
  before <- if (is.null(call)) "Error: " else
    paste0("Error in ", deparse(call, nlines = 1L)[1L], ": ")
  list(class = class(condition), message = sub(before, "", c(unclass(value)), fixed = TRUE),
       call = call, trace = value$stack.trace)
}

# The fields in which two answers differ. Functions within a call are compared by
# their text: they have environments.
differences <- function(one, other) {
  one$call <- deparse(one$call)
  other$call <- deparse(other$call)
  Filter(function(field) !identical(one[[field]], other[[field]]), fields)
}

expect_answers <- function(questions, expected) {
  for (i in seq_along(questions)) {
    got <- answer_of_task(questions[[i]]$expr)
    expect_identical(
      differences(got, expected[[i]]), as.character(questions[[i]]$differs),
      info = paste(c(questions[[i]]$text, "task:", capture.output(str(got)),
                     "Rscript:", capture.output(str(expected[[i]]))),
                   collapse = "\n")
    )
  }
}

questions <- read_questions("answers.R")
expected <- answers_of_rscript(questions)

test_that("a task answers as Rscript does, twice", {
  expect_gt(length(questions), 60)
  expect_length(expected, length(questions))
  set_daemons(1)
  for (i in 1:2) expect_answers(questions, expected)
})

test_that("a task behind an agent answers as Rscript does, twice", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  launch_local(1)
  for (i in 1:2) expect_answers(questions, expected)
})
