# What a task says reaches the session while the task runs.

# What call_mirai() of the task in `m` tells, as lines; its value is in `m`.
told <- function(m) {
  messages <- capture.output(type = "message",
                             lines <- capture.output(resolved(m)))
  c(lines, messages)
}

said <- function(m) {
  resolved(m)
  m$output
}

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
  messages <- capture.output(type = "message", lines <- capture.output(resolved(m)))
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
  capture.output(resolved(m))
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
  resolved(m)
})

test_that("conditions of a task reach the session's handlers", {
  set_daemons(1, relay = TRUE)
  f <- function(x) {
    if (x < 0) warning("negative")
    x
  }
  m <- mirai(f(-1), f = f)
  expect_warning(resolved(m), "^\\[task [0-9]+\\] negative$")
  expect_identical(m$data, -1)

  custom <- function() {
    withRestarts(signalCondition(structure(
      class = c("custom", "condition"), list(message = "m", call = NULL, x = 1:3)
    )), muffleCustom = function() NULL)
    "went on"
  }
  seen <- NULL
  m <- mirai(custom(), custom = custom)
  withCallingHandlers(resolved(m), custom = function(condition) {
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
  left <- tryCatch(resolved(m), message = conditionMessage)
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
  capture.output(suppressWarnings(resolved(m)))
  expect_identical(m$output, c(output = "output", warning = "warning"))
  m <- mirai(talk, .relay = FALSE)
  resolved(m)
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

test_that("a daemon is as before when a task that was relayed has ended", {
  set_daemons(1)
  look <- quote(c(sinks = sink.number(), files = length(list.files("/proc/self/fd"))))
  evaluated(1)
  quiet <- function(expr) {
    m <- eval(bquote(mirai(.(substitute(expr)), .relay = TRUE)))
    invisible(told(m))
  }
  quiet(cat("first\n"))
  before <- value_of(mirai(look))
  for (i in 1:5) quiet(cat("x\n"))
  quiet(stop("no"))
  quiet({
    sink()
    sink(tempfile())
    closeAllConnections()
  })
  quiet(invokeRestart("abort"))
  expect_identical(value_of(mirai(look)), before)
})

test_that("a flood slows its task, is bounded, and says what was left out", {
  set_daemons(1)
  m <- mirai({
    for (i in 1:60000) cat("a line of some forty characters, number", i, "\n")
    "done"
  }, .relay = TRUE)
  sink(nullfile())
  at_end(if (sink.number()) sink())
  resolved(m)
  sink()
  expect_identical(m$data, "done")
  expect_named(m$output[1L], "left out")
  expect_match(m$output[length(m$output)], "number 60000 $")
  expect_lt(sum(nchar(m$output)), 2.2 * 2^20)
  # Too large to be sent as it is.
  m <- mirai(message(strrep("x", 1e6)), .relay = TRUE)
  capture.output(resolved(m), type = "message")
  expect_identical(nchar(m$output[["message"]]), 8192L)
})

test_that("bytes that are no text do no harm", {
  set_daemons(1)
  m <- mirai({
    out <- pipe("cat", "wb")
    writeBin(as.raw(c(0x61, 0, 0xff, 0x1b, 0x62, 0x0a)), out)
    close(out)
    1
  }, .relay = TRUE)
  lines <- capture.output(resolved(m))
  expect_match(lines, "] a<ff>\\x1bb", fixed = TRUE)
  expect_identical(m$data, 1)
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

test_that("what a daemon has said before it died is heard", {
  set_daemons(1, retries = 0)
  m <- mirai({
    cat("last words\n")
    Sys.sleep(0.5)
    tools::pskill(Sys.getpid(), tools::SIGKILL)
  }, .relay = TRUE)
  capture.output(resolved(m))
  expect_true(is_error_code(m$data, 19L))
  expect_identical(m$output, c(output = "last words"))
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

test_that("who leaves when a task is heard loses no other task", {
  set_daemons(1, relay = "message")
  folder <- set_folder()
  m <- mirai({
    message("leave")
    file.create(file.path(folder, "said"))
    1
  }, folder = folder)
  expect_true(wait_for(function() file.exists(file.path(folder, "said"))))
  # It has been taken in by then.
  .Call(tenkai:::tk_state, tenkai:::profile_of(NULL)$link)
  heard <- function(condition) "left"
  other <- tryCatch(mirai("other"), message = heard)
  map <- tryCatch(mirai_map(1:3, identity), message = heard)
  expect_true(is_mirai(other))
  expect_true(is_mirai_map(map))
  expect_message(value <- value_of(other), "leave")
  expect_identical(value, "other")
  expect_identical(unlist(map[]), 1:3)
})

test_that("what a task has said before it ends R is heard", {
  set_daemons(1, retries = 0)
  # What comes first is sent at once, the others after a while.
  for (i in 1:4) {
    m <- mirai({
      cat("last words\n")
      message("and a message")
      quit("no")
    }, .relay = TRUE)
    told(m)
    expect_true(is_error_code(m$data, 19L))
    expect_identical(m$output,
                     c(output = "last words", message = "and a message"))
  }
})

test_that("no record is left of tasks that their dispatcher has left behind", {
  set_daemons(1, relay = TRUE)
  folder <- set_folder()
  before <- ls(tenkai:::heard)
  m <- mirai({
    cat("line\nno end")
    file.create(file.path(folder, "said"))
    Sys.sleep(600)
  }, folder = folder)
  waits <- mirai(1)
  map <- mirai_map(1:3, identity)
  expect_true(wait_for(function() file.exists(file.path(folder, "said"))))
  expect_true(wait_for(function() {
    length(capture.output(unresolved(m))) || length(m$output)
  }))
  capture.output(daemons(0))
  expect_setequal(ls(tenkai:::heard), before)
  expect_identical(unname(m$output), c("line", "no end"))
})

test_that("a task that is tried again begins a line of its own", {
  set_daemons(1, retries = 1)
  folder <- set_folder()
  m <- mirai({
    heard <- file.path(folder, "heard")
    tried <- file.exists(heard)
    cat("line\nbegun")
    while (!file.exists(heard)) Sys.sleep(0.01)
    if (!tried) tools::pskill(Sys.getpid(), tools::SIGKILL)
    cat(", ended\n")
  }, folder = folder, .relay = TRUE)
  lines <- capture.output({
    heard <- wait_for(function() "line" %in% m$output)
    file.create(file.path(folder, "heard"))
    resolved(m)
  })
  expect_true(heard)
  expect_identical(unname(m$output), c("line", "begun", "line", "begun, ended"))
})

test_that("no record is left of a map that nobody has any more", {
  set_daemons(1, relay = TRUE)
  folder <- set_folder()
  before <- ls(tenkai:::heard)
  map <- mirai_map(1:20, function(i, folder) {
    while (!file.exists(file.path(folder, "go"))) Sys.sleep(0.01)
    cat("element", i, "\n")
  }, .args = list(folder = folder))
  rm(map)
  gc()
  file.create(file.path(folder, "go"))
  lines <- capture.output({
    heard <- wait_for(function() {
      status()
      setequal(ls(tenkai:::heard), before)
    })
  })
  expect_true(heard)
  expect_match(lines, "element [0-9]+ $")
})

test_that("a process that a task has forked does not speak to the session", {
  skip_on_os("windows")
  set_daemons(1)
  m <- mirai({
    fork <- parallel:::mcfork
    child <- fork(TRUE)
    if (inherits(child, "masterProcess")) {
      cat("child\n")
    } else {
      while (tools::pskill(child$pid, 0) &&
             !any(grepl("^State:\tZ", readLines(sprintf("/proc/%d/status", child$pid))))) {
        Sys.sleep(0.01)
      }
      cat("parent\n")
    }
    inherits(child, "masterProcess")
  }, .relay = TRUE, .timeout = 60000)
  expect_length(told(m), 2L)
  expect_identical(m$data, FALSE)
  expect_identical(m$output, c(output = "child", output = "parent"))
})

test_that("many things of one task are heard, in time that grows as they do", {
  record <- tenkai:::new_record("many")
  at_end(tenkai:::end_record("many", record))
  for (i in 1:1200) tenkai:::keep_said(record, i %% 2, "message", paste(i))
  expect_lte(length(record$recent$said), 501L)
  all <- tenkai:::output_in(record, NULL)
  expect_identical(unname(all), as.character(1:1200))
  expect_identical(unname(tenkai:::output_in(record, 1)),
                   as.character(seq(1, 1200, 2)))
  # Lines without text are bounded, too.
  for (i in 1:5) tenkai:::keep_said(record, 1, "output", character(1e6))
  expect_lt(length(record$said), 2.1 * 2^20)
})

test_that("a message of bytes, or of wrong text, is heard as such", {
  set_daemons(1, relay = TRUE)
  m <- mirai({
    bytes <- "a\xffb"
    Encoding(bytes) <- "bytes"
    message(bytes)
    text <- "c\xffd"
    message(text)
    latin <- "e\xe9f"
    Encoding(latin) <- "latin1"
    message(latin)
  })
  lines <- told(m)
  expect_null(m$data)
  expect_length(lines, 3L)
  expect_match(lines[1L], "] a.*ff.*b$")
  expect_match(lines[2L], "] c.*ff.*d$")
  expect_match(lines[3L], "] e\u00e9f$")
  expect_identical(m$output[["message"]], sub("^\\[task [0-9]+\\] ", "", lines[1L]))
})

test_that("what a daemon sends that is no condition is not heard", {
  set_daemons(1, relay = TRUE, safe = TRUE)
  condition <- function(...) structure(list(message = "m"), class = c(..., "condition"))
  wrong <- list(1L, list(), list(1, 2), structure(1:3, class = "condition"),
                list(condition(), NA_character_), list(condition(), 1),
                condition("error"), condition("interrupt"),
                list(condition("error"), "abort"), list(condition("interrupt"), "abort"))
  for (kind in c(2L, 4L, 8L)) for (what in wrong) {
    m <- mirai({
      .Call(tenkai:::tk_say, kind, what)
      "value"
    }, kind = kind, what = what)
    expect_identical(tryCatch(told(m), interrupt = identity), character())
    expect_identical(m$data, "value")
  }
})

test_that("nothing of a line without end is lost but what went over itself", {
  set_daemons(1)
  m <- mirai({
    cat(strrep("q", 300000), "\nend\n", sep = "")
  }, .relay = TRUE)
  lines <- told(m)
  expect_identical(sum(nchar(m$output)), 300003L)
  m <- mirai({
    for (i in 1:20000) cat("\rstep", i)
    cat("\n")
  }, .relay = TRUE)
  expect_length(told(m), 1L)
  expect_identical(m$output, c(output = "step 20000"))
})
