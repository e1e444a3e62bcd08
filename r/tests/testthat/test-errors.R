test_that("an error is its message, with a call or without", {
  set_daemons(1)
  f <- function(x) stop("positive")
  with_call <- evaluated(f(1), f = f)
  without <- evaluated(stop("plain", call. = FALSE))
  outermost <- evaluated(stop("plain"))

  expect_identical(class(with_call), c("miraiError", "errorValue", "try-error"))
  expect_identical(as.character(unclass(with_call)), "Error in f(1): positive")
  expect_identical(printed(with_call),
                   "'miraiError' chr Error in f(1): positive")
  expect_identical(printed(without), "'miraiError' chr Error: plain")
  expect_identical(printed(outermost), "'miraiError' chr Error: plain")
  expect_true(is_mirai_error(with_call))
  expect_true(is_error_value(with_call))
  expect_false(is_mirai_interrupt(with_call))
})

test_that("an error in a nested mirai() keeps its words", {
  set_daemons(1)
  expect_identical(
    printed(evaluated(tenkai::mirai())),
    paste("'miraiError' chr Error in tenkai::mirai():",
          "missing expression, perhaps wrap in {}?")
  )
})

test_that("the original condition is there, with its classes", {
  set_daemons(1)
  value <- evaluated(stop(structure(
    list(message = "of my own", call = NULL, extra = 42),
    class = c("myError", "error", "condition")
  )))

  expect_identical(printed(value), "'miraiError' chr Error: of my own")
  expect_s3_class(value$condition, "myError")
  expect_identical(value$condition$extra, 42)
  expect_identical(
    tryCatch(stop(value$condition), myError = function(e) "handled"), "handled"
  )
})

test_that("the fields of a condition are fields, and attributes, of the error", {
  set_daemons(1)
  parent <- simpleError("within")
  condition <- structure(
    list(message = "of my own", call = quote(f(x)), extra = 42, parent = parent),
    class = c("myError", "error", "condition")
  )
  value <- evaluated(stop(condition), condition = condition)

  expect_identical(value$extra, 42)
  expect_identical(attr(value, "extra"), 42)
  expect_identical(value$parent, parent)
  expect_identical(value$message, "of my own")
  expect_identical(value$call, quote(f(x)))
  expect_identical(value$condition.class, class(condition))
  expect_identical(value$condition, condition)
  expect_null(value$nothing)
  expect_identical(conditionMessage(value), "of my own")
  expect_identical(conditionCall(value), quote(f(x)))
  expect_setequal(utils::.DollarNames(value),
                  c("stack.trace", "condition", "condition.class", "message",
                    "call", "extra", "parent"))
  expect_identical(utils::.DollarNames(value, "^ex"), "extra")
  expect_identical(printed(value), "'miraiError' chr Error in f(x): of my own")
})

test_that("what rlang knows of an error is there", {
  skip_if_not_installed("rlang")
  set_daemons(1)
  value <- evaluated(rlang::abort("oh", "myError", parent = simpleError("p"),
                                  extra = 1:3))

  expect_s3_class(value$trace, "rlang_trace")
  expect_identical(conditionMessage(value$parent), "p")
  expect_identical(value$extra, 1:3)
  expect_identical(value$condition.class[1], "myError")
  expect_identical(conditionMessage(value), "oh")
})

test_that("fields that are something else as attributes are fields all the same", {
  set_daemons(1)
  odd <- list(message = "odd", call = NULL, names = "a", dim = 2L, class = "z",
              dimnames = 1, comment = 3, tsp = "a", row.names = NULL,
              stack.trace = 9, condition = 8, condition.class = 7, 6)
  value <- evaluated(stop(structure(odd, class = c("my", "error", "condition"))),
                     odd = odd)

  expect_identical(printed(value), "'miraiError' chr Error: odd")
  expect_identical(class(value), c("miraiError", "errorValue", "try-error"))
  expect_null(attributes(value)$names)
  expect_null(dim(value))
  expect_identical(value$names, "a")
  expect_identical(value$dim, 2L)
  expect_identical(value$comment, 3)
  expect_identical(value$condition.class, c("my", "error", "condition"))
  expect_type(value$stack.trace, "list")
  expect_s3_class(value$condition, "my")
})

test_that("of an error that cannot be kept whole the rest is kept", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  fail <- function(...) {
    stop(structure(list(message = "kept", call = NULL, extra = 42, ...),
                   class = c("myError", "error", "condition")))
  }
  deep <- evaluated({
    x <- NULL
    for (i in 1:1e5) x <- list(x)
    fail(deep = x)
  }, fail = fail)
  expect_identical(printed(deep), "'miraiError' chr Error: kept")
  expect_s3_class(deep$condition, "myError")
  expect_identical(deep$extra, 42)
  expect_null(deep$deep)

  # R itself asks them, too, before the task has ended.
  fails <- evaluated({
    conditionMessage.myError <<- function(c) if (late) stop("none") else "kept"
    conditionCall.myError <<- function(c) if (late) stop("none")
    late <<- FALSE
    (function() {
      on.exit(late <<- TRUE)
      fail()
    })()
  }, fail = fail)
  expect_identical(printed(fails), "'miraiError' chr Error: kept")
  expect_identical(fails$extra, 42)
  odd <- evaluated(signalCondition(structure(
    "no list", class = c("myError", "error", "condition")
  )))
  expect_s3_class(odd, "miraiError")
  environments <- evaluated(signalCondition(structure(
    list(message = globalenv()), class = c("error", "condition")
  )))
  expect_s3_class(environments, "miraiError")
  expect_identical(conditionMessage(environments), "")
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("the stack trace holds the user's frames, innermost first", {
  set_daemons(1)
  f <- eval(parse(text = "function(x) g(x + 1)", keep.source = FALSE))
  g <- eval(parse(text = "function(y) stop('deep')", keep.source = FALSE))
  value <- value_of(mirai(f(1), f = f, g = g))

  expect_identical(value$stack.trace,
                   list("stop(\"deep\")", "g(x + 1)", "f(1)"))
  expect_identical(value$stack, value$stack.trace)
  expect_identical(utils::.DollarNames(value, "^st"), "stack.trace")
})

test_that("a frame is shown as it was written, where the source was kept", {
  set_daemons(1)
  source <- "function(x) if (x > 0) stop(\"positive\")"
  f <- eval(parse(text = source, keep.source = TRUE))
  value <- value_of(mirai({f(-1); f(1)}, f = f))

  expect_identical(printed(value), "'miraiError' chr Error in f(1): positive")
  expect_identical(printed(value$stack.trace), c(
    "[[1]]",
    "[1] \"function(x) if (x > 0) stop(\\\"positive\\\")\"",
    "",
    "[[2]]",
    "[1] \"f(1)\"",
    ""
  ))
})

test_that("no frame of ours is in a stack trace", {
  set_daemons(1)
  traces <- list(
    evaluated(stop("a"))$stack.trace,
    evaluated(log(-1:1, base = "x"))$stack.trace,
    evaluated(no_such_function())$stack.trace,
    evaluated(no_such_object)$stack.trace,
    evaluated(tryCatch(stop("a"), error = function(e) stop("b")))$stack.trace,
    evaluated(lapply(1, function(i) stop("c")))$stack.trace,
    evaluated(f(), f = function() stop(simpleError("d")))$stack.trace
  )
  for (trace in traces) {
    expect_type(trace, "list")
    ours <- "tenkai|\\.Call|withCallingHandlers|handleSimpleError"
    expect_false(any(grepl(ours, unlist(trace))))
  }
  expect_match(traces[[5]][[1]], "stop(\"b\")", fixed = TRUE)
})

test_that("an error of many kinds leaves the daemon as it was", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  bad <- list(
    quote(stop()), quote(stop("")), quote(f <- f()),
    quote(invokeRestart("abort")),
    quote(.Call("nothing")), quote(stop(paste(rep("long", 1e5),
                                              collapse = " "))),
    quote({ f <- function() f(); f() }), quote(signalCondition(structure(class =
      c("error", "condition"), list(message = "only signalled", call = NULL)))),
    quote(warning("w")), quote(repeat break), quote(base::stop("a", "b")),
    quote(parse(text = "(")), quote(on.exit(stop("late"))),
    quote(eval(quote(return(stop("x")))))
  )
  for (expr in bad) {
    m <- mirai(expr)
    call_mirai(m)
    expect_false(unresolved(m))
  }
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a jump to the top level is an error value", {
  set_daemons(1)
  for (i in 1:2) {
    value <- evaluated({
      try(stop("handled"), silent = TRUE)
      invokeRestart("abort")
    })
    expect_identical(printed(value), paste(
      "'miraiError' chr Error: the task jumped to the top level of R"
    ))
  }
})

test_that("a stack that is used up is the condition that R makes of it", {
  set_daemons(1)
  k <- function(n) if (n == 0) 0 else k(n - 1)
  f <- eval(parse(text = "function() f()", keep.source = FALSE))
  for (i in 1:2) {
    deep <- evaluated(k(3000), k = k)
    expect_s3_class(deep$condition, "stackOverflowError")
    expect_null(deep$condition$call)
    expect_identical(as.character(unclass(deep)),
                     paste("Error:", conditionMessage(deep$condition)))
    expect_s3_class(evaluated(f(), f = f)$condition, "stackOverflowError")

    nested <- evaluated({
      options(expressions = 200)
      f()
    }, f = f)
    expect_s3_class(nested$condition, "expressionStackOverflowError")
    expect_gt(length(nested$stack.trace), 50)
    expect_identical(unique(unlist(nested$stack.trace)), "f()")
    expect_identical(evaluated(k(100), k = k), 0)
  }
})

test_that("the first error counts, not those on the way out", {
  set_daemons(1)
  f <- function() {
    on.exit(stop("late"))
    stop("first")
  }
  for (warn in 0:2) {
    value <- evaluated({
      options(warn = level)
      f()
    }, f = f, level = warn)
    expect_identical(printed(value), "'miraiError' chr Error in f(): first")
  }
})

test_that("an error whose message is no text is one text", {
  set_daemons(1)
  bad <- list(
    structure(list(call = NULL), class = c("error", "condition")),
    structure(list(message = 1:2), class = c("error", "condition")),
    structure(list(message = quote(f(x))), class = c("error", "condition")),
    structure(list(message = c("a", "b")), class = c("error", "condition"))
  )
  for (condition in bad) {
    value <- evaluated(signalCondition(condition), condition = condition)
    expect_s3_class(value, "miraiError")
    expect_length(value, 1L)
    expect_identical(class(value$condition), class(condition))
  }
  expect_identical(c(unclass(value))[1L], "Error: a\nb")
})

test_that("options(error =) of a profile ends no daemon", {
  folder <- set_folder()
  writeLines("options(error = function() quit('no', status = 1))",
             file.path(folder, ".Rprofile"))
  said <- run_session(c(
    sprintf("setwd('%s')", folder), "library(tenkai)", "invisible(daemons(1))",
    "pid <- call_mirai(mirai(Sys.getpid()))$data",
    "f <- function() f()",
    "finalized <- quote({",
    "  reg.finalizer(new.env(), function(e) stop('late'))",
    "  gc()",
    "  1",
    "})",
    "tasks <- list(mirai(stop('a')), mirai(f(), f = f), mirai(finalized),",
    "              mirai(invokeRestart('abort')))",
    "for (m in tasks) call_mirai(m)",
    "cat(identical(call_mirai(mirai(Sys.getpid()))$data, pid), '\\n')",
    "daemons(0)"
  ))
  expect_true("TRUE " %in% said, info = paste(said, collapse = "\n"))
})

test_that("where R names no call, neither does the condition", {
  set_daemons(1)
  at_top <- list(
    evaluated(stop("plain")), evaluated(no_such_object), evaluated(break),
    evaluated(stopifnot(1 == 2)),
    evaluated(UseMethod("none")),
    evaluated({
      options(warn = 2)
      as.integer("a")
    }),
    evaluated(stop(errorCondition("built", call = sys.call(-1))))
  )
  for (value in at_top) {
    expect_null(conditionCall(value$condition))
    expect_match(value, "^Error: ")
  }
  expect_identical(conditionCall(evaluated(log("a"))$condition),
                   quote(log("a")))
})

test_that("warnings at the top of a task are shown without a call", {
  said <- run_session(c(
    "library(tenkai)", "invisible(daemons(1, output = TRUE))",
    "f <- function() warning('within')",
    "m <- mirai({ options(warn = 1); warning('plain'); f() }, f = f)",
    "invisible(call_mirai(m)); invisible(daemons(0))"
  ))
  expect_true("Warning: plain" %in% said)
  expect_true("Warning in f() : within" %in% said)
  expect_false(any(grepl("tenkai_evaluate", said)))
})

test_that("an interrupt that a task sends itself is a miraiInterrupt", {
  set_daemons(1)
  value <- evaluated({
    tools::pskill(Sys.getpid(), tools::SIGINT)
    Sys.sleep(600)
  })

  expect_identical(class(value), c("miraiInterrupt", "errorValue", "try-error"))
  expect_identical(as.character(unclass(value)), "")
  expect_identical(printed(value), "'miraiInterrupt' chr \"\"")
  expect_true(is_mirai_interrupt(value))
  expect_true(is_error_value(value))
  expect_false(is_mirai_error(value))
})

test_that("the error numbers have the names of NNG", {
  words <- function(code) {
    printed(structure(code, class = c("errorValue", "try-error")))
  }
  expect_identical(words(5L), "'errorValue' int 5 | Timed out")
  expect_identical(words(7L), "'errorValue' int 7 | Object closed")
  expect_identical(words(10L), "'errorValue' int 10 | Address in use")
  expect_identical(words(19L), "'errorValue' int 19 | Connection reset")
  expect_identical(words(20L), "'errorValue' int 20 | Operation canceled")
  expect_identical(words(31L), "'errorValue' int 31 | Connection shutdown")
  expect_identical(words(1000L),
                   "'errorValue' int 1000 | Internal error detected")
  expect_identical(words(99L), "'errorValue' int 99 | Unknown error")
})

test_that("what a daemon says steers no terminal, and is kept as it was", {
  for (safe in c(FALSE, TRUE)) {
    set_daemons(1, safe = safe)
    error <- evaluated(stop("a\u1b]0;mine\a\u1b[2Jb\r\u009b31mc\n\td"))
    shown <- paste(printed(error), collapse = "\n")

    expect_match(shown, "a\\x1b]0;mine\\x07\\x1b[2Jb\\x0d\\x9b31mc\n\td",
                 fixed = TRUE)
    expect_no_match(shown, "[\001-\b\v-\037]")
    expect_match(unclass(error), "a\033]0;mine\a\033[2Jb\r", fixed = TRUE)
    daemons(0)
  }
})

test_that("nothing the dispatcher passes on steers a terminal", {
  text <- "a\033[31mb\tc"
  lost <- structure(19L, message = text, class = c("errorValue", "try-error"))
  expect_match(printed(lost), "  a\\x1b[31mb\tc", fixed = TRUE, all = FALSE)

  note <- tryCatch(tenkai:::tell(text, ""), message = conditionMessage)
  expect_identical(note, "tenkai: a\\x1b[31mb\tc\n")

  expect_error(stop(tenkai:::reason_of(lost)), "a\\x1b[31mb\tc", fixed = TRUE)

  row <- c("launch", "1", "1", "ssh", "n1", "failed", "exit", text)
  launches <- tenkai:::launch_table(list(c(row, rep("", 6L))))
  state <- structure(list(connections = 1L, daemons = 0L), state = "",
                     launches = launches, class = "miraiStatus")
  expect_false(any(grepl("\033", printed(state))))
})

test_that("what turns the order of a text round is shown as such", {
  expect_identical(tenkai:::harmless("a\u202eb\u2066\u00e9\u200f\u001b"),
                   "a\\u202eb\\u2066\u00e9\u200f\\x1b")
})

test_that("bytes of no encoding are shown as such", {
  expect_identical(tenkai:::harmless(c("a\xffb", NA, "", "plain")),
                   c("a<ff>b", NA, "", "plain"))
  expect_identical(tenkai:::harmless(character()), character())
})
