# Takes long: not with scripts/test --quick.
# What a task says that ends, floods, forks or is no text does no harm.

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
  call_mirai(m)
  sink()
  expect_identical(m$data, "done")
  expect_named(m$output[1L], "left out")
  expect_match(m$output[length(m$output)], "number 60000 $")
  expect_lt(sum(nchar(m$output)), 2.2 * 2^20)
  # Too large to be sent as it is.
  m <- mirai(message(strrep("x", 1e6)), .relay = TRUE)
  capture.output(call_mirai(m), type = "message")
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
  lines <- capture.output(call_mirai(m))
  expect_match(lines, "] a<ff>\\x1bb", fixed = TRUE)
  expect_identical(m$data, 1)
})

test_that("what a daemon has said before it died is heard", {
  set_daemons(1, retries = 0)
  heard <- file.path(set_folder(), "heard")
  m <- mirai({
    cat("last words\n")
    while (!file.exists(heard)) Sys.sleep(0.01)
    tools::pskill(Sys.getpid(), tools::SIGKILL)
  }, heard = heard, .relay = TRUE)
  capture.output({
    expect_true(wait_for(function() length(m$output) == 1L))
    file.create(heard)
    call_mirai(m)
  })
  expect_true(is_error_code(m$data, 19L))
  expect_identical(m$output, c(output = "last words"))
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
    call_mirai(m)
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
