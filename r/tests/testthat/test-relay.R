# What a task says reaches the session while the task runs.

test_that("output, messages and warnings come in order, with the task's name", {
  set_daemons(1, relay = TRUE)
  m <- mirai({
    cat("one\n")
    message("two")
    print(3)
    system("echo four")
    cat("fi")
    cat("ve")
    6
  })
  number <- sub(".*-", "", attr(m, "id"))
  messages <- capture.output(type = "message", lines <- capture.output(call_mirai(m)))
  named <- function(x) sprintf("[task %s] %s", number, x)
  expect_identical(lines, named(c("one", "[1] 3", "four", "five")))
  expect_identical(messages, named("two"))
  expect_identical(m$output, c(output = "one", message = "two", output = "[1] 3",
                               output = "four", output = "five"))
  expect_identical(m$data, 6)
})

test_that("a task is heard while it runs", {
  set_daemons(1)
  folder <- set_folder()
  m <- mirai({
    cat("waiting\n")
    while (!file.exists(file.path(folder, "go"))) Sys.sleep(0.01)
    cat("gone\n")
  }, folder = folder, .relay = TRUE)
  output <- capture.output({
    heard <- wait_for(function() identical(m$output, c(output = "waiting")))
  })
  expect_true(heard)
  expect_true(unresolved(m))
  file.create(file.path(folder, "go"))
  capture.output(call_mirai(m))
  expect_identical(unname(m$output), c("waiting", "gone"))
  # status() looks, too.
  m <- mirai({
    cat("seen\n")
    file.create(file.path(folder, "said"))
    while (!file.exists(file.path(folder, "end"))) Sys.sleep(0.01)
  }, folder = folder, .relay = TRUE)
  expect_true(wait_for(function() file.exists(file.path(folder, "said"))))
  expect_true(wait_for(function() {
    any(grepl("seen", capture.output(invisible(status()))))
  }))
  file.create(file.path(folder, "end"))
  call_mirai(m)
})

test_that("conditions of a task reach the session's handlers", {
  set_daemons(1, relay = TRUE)
  f <- function(x) {
    if (x < 0) warning("negative")
    x
  }
  m <- mirai(f(-1), f = f)
  expect_warning(call_mirai(m), "^\\[task [0-9]+\\] negative$")
  expect_identical(m$data, -1)

  custom <- function() {
    withRestarts(signalCondition(structure(
      class = c("custom", "condition"), list(message = "m", call = NULL, x = 1:3)
    )), muffleCustom = function() NULL)
    "went on"
  }
  seen <- NULL
  m <- mirai(custom(), custom = custom)
  withCallingHandlers(call_mirai(m), custom = function(condition) {
    seen <<- condition
    invokeRestart("muffleCustom")
  })
  expect_identical(seen$x, 1:3)
  expect_identical(attr(seen, "task"), as.numeric(sub(".*-", "", attr(m, "id"))))
  expect_identical(m$data, "went on")

  # What handles it for good, leaves call_mirai() and not the rest.
  m <- mirai({
    message("first")
    message("second")
    "value"
  })
  left <- tryCatch(call_mirai(m), message = conditionMessage)
  expect_identical(left, "first\n")
  expect_message(value <- value_of(m), "second")
  expect_identical(value, "value")
})

test_that("what a task handles itself is not heard", {
  set_daemons(1, relay = TRUE)
  m <- mirai({
    suppressMessages(message("no"))
    suppressWarnings(warning("no"))
    tryCatch(stop("no"), error = function(e) NULL)
    capture.output(print("no"))
  })
  expect_identical(told(m), character())
  expect_identical(unname(m$output), character())
  m <- mirai({
    options(warn = -1)
    warning("ignored")
  })
  expect_identical(told(m), character())
  # A warning that becomes an error is one.
  m <- mirai({
    options(warn = 2)
    warning("strict")
  })
  expect_identical(told(m), character())
  expect_match(m$data, "converted from warning")
  m <- mirai(stop("the value"))
  expect_identical(told(m), character())
  expect_match(m$data, "the value")
})

test_that("only what is asked for is relayed", {
  set_daemons(1, relay = "message")
  talk <- quote({
    cat("output\n")
    message("message")
    warning("warning")
  })
  expect_identical(suppressMessages(said(mirai(talk))), c(message = "message"))
  m <- mirai(talk, .relay = c("output", "warning"))
  capture.output(suppressWarnings(call_mirai(m)))
  expect_identical(m$output, c(output = "output", warning = "warning"))
  m <- mirai(talk, .relay = FALSE)
  call_mirai(m)
  expect_null(m$output)
  expect_error(mirai(1, .relay = "all"), "'.relay' must be TRUE, FALSE or some of")
  expect_error(daemons(1, .compute = "other", relay = 3), "'relay' must be TRUE")
})

test_that("elements of a map are heard by their own numbers", {
  set_daemons(2)
  map <- mirai_map(1:20, function(i) {
    cat("element", i, "\n")
    i
  }, .relay = TRUE)
  lines <- capture.output(values <- map[])
  expect_identical(unlist(values), 1:20)
  expect_length(lines, 20)
  expect_length(unique(sub("\\].*", "", lines)), 20)
  expect_identical(map[[7]]$output, c(output = "element 7 "))
  expect_identical(as.list(map)[[20]]$output, c(output = "element 20 "))
})

test_that("an agent over TLS, and a session that takes only data, hear the same", {
  talk <- quote({
    cat("output\n")
    message("message")
    warning("warning")
  })
  expected <- c(output = "output", message = "message", warning = "warning")
  heard <- function(m) {
    suppressWarnings(told(m))
    m$output
  }
  set_daemons(1, url = "tls+tcp://127.0.0.1:0", relay = TRUE)
  paste_into("sh", launch_remote(1))
  expect_identical(heard(mirai(talk)), expected)
  daemons(0)
  set_daemons(1, relay = TRUE, safe = TRUE)
  expect_identical(heard(mirai(talk)), expected)
  daemons(0)
  set_daemons(1, relay = TRUE, dispatcher = FALSE)
  expect_identical(heard(mirai(talk)), expected)
  daemons(0)
  expect_identical(heard(mirai(talk, .relay = TRUE)), expected)
})

test_that("what C code writes is heard in its place", {
  use_pointers()
  set_daemons(1, relay = TRUE)
  m <- mirai({
    pointers::print_in_c("from C, ")
    cat("R\n")
    pointers::print_in_c("not flushed")
    message("then")
  })
  told(m)
  expect_identical(m$output, c(output = "from C, R", output = "not flushed",
                               message = "then"))
})

test_that("a terminal shows for what it waits, and lines that are heard go over it", {
  skip_if(Sys.which("script") == "", "there is no program script")
  folder <- set_folder()
  code <- file.path(folder, "code.R")
  writeLines(c(
    "library(tenkai)",
    "invisible(daemons(1))",
    sprintf("go <- '%s'", file.path(folder, "go")),
    "m <- mirai({ cat('so far\\n'); while (!file.exists(go)) Sys.sleep(0.05)",
    "  42 }, go = go, .relay = TRUE)",
    "call_mirai(m)$data",
    "q('no')"
  ), code)
  output <- file.path(folder, "output")
  Sys.setenv(TENKAI_TEST_LIBS = paste(.libPaths(), collapse = ":"))
  at_end(Sys.unsetenv("TENKAI_TEST_LIBS"))
  command <- paste("R_LIBS=$TENKAI_TEST_LIBS", file.path(R.home("bin"), "R"),
                   "--vanilla -q --no-readline")
  system(paste("timeout 200 script -qefc", shQuote(command), shQuote(output),
               "<", shQuote(code), ">/dev/null 2>&1 &"))
  seen <- function(what) function() {
    file.exists(output) &&
      grepl(what, readChar(output, file.size(output), TRUE), useBytes = TRUE)
  }
  expect_true(wait_for(seen("waiting for task 2, [3-9] s: so far")))
  file.create(file.path(folder, "go"))
  expect_true(wait_for(seen("\r +\r.*\\[1\\] 42")))
})
