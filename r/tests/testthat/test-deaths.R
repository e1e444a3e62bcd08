# Takes long: not with scripts/test --quick.
test_that("quit() in a task resolves it to 19, and is not retried", {
  set_daemons(1)
  file <- file.path(set_folder(), "runs")
  m <- mirai({
    cat("x", file = file, append = TRUE)
    quit(status = 3)
  }, file = file)
  value <- value_of(m)

  expect_true(is_error_code(value, 19L))
  expect_identical(printed(value)[1], "'errorValue' int 19 | Connection reset")
  expect_match(reason_of(value), "exit code 3")
  expect_equal(file.size(file), 1)
  expect_identical(evaluated("again"), "again")
})

test_that("a segfault in a task resolves it to 19, and is not retried", {
  set_daemons(1)
  file <- file.path(set_folder(), "runs")
  m <- mirai({
    cat("x", file = file, append = TRUE)
    tools::pskill(Sys.getpid(), 11L)
    Sys.sleep(600)
  }, file = file)

  expect_true(is_error_code(value_of(m), 19L))
  expect_match(reason_of(m$data), "SIGSEGV|signal 11")
  expect_equal(file.size(file), 1)
})

test_that("a task whose daemon is killed goes to the next one", {
  set_daemons(2)
  folder <- set_folder()
  m <- mirai({
    file.create(file.path(folder, Sys.getpid()))
    while (!file.exists(file.path(folder, "go"))) Sys.sleep(0.05)
    Sys.getpid()
  }, folder = folder)
  expect_true(wait_for(function() length(dir(folder)) == 1L))
  first <- as.integer(dir(folder))
  tools::pskill(first, tools::SIGKILL)
  expect_true(wait_for(function() length(dir(folder)) == 2L))
  file.create(file.path(folder, "go"))

  expect_true(value_of(m) != first)
  expect_equal(sum(status()$daemons[, "assigned"]), 2)
  expect_equal(sum(status()$daemons[, "complete"]), 1)
})

test_that("a task whose daemons are killed too often resolves to 19", {
  set_daemons(1, retries = 1, respawn = FALSE)
  folder <- set_folder()
  m <- mirai({
    file.create(file.path(folder, Sys.getpid()))
    Sys.sleep(600)
  }, folder = folder)
  for (death in 1:2) {
    expect_true(wait_for(function() length(dir(folder)) == death))
    tools::pskill(as.integer(dir(folder)), tools::SIGKILL)
    expect_true(wait_for(function() status()$daemons[, "online"] == 0))
    if (death == 1L) {
      expect_true(unresolved(m))
      launch_local(1)
    }
  }

  expect_true(is_error_code(value_of(m), 19L))
  expect_match(reason_of(m$data), "signal 9")
})

test_that("retries by cause are obeyed", {
  set_daemons(1, retries = c(0, quit = 1), respawn = FALSE)
  file <- file.path(set_folder(), "runs")
  m <- mirai({
    cat("x", file = file, append = TRUE)
    if (file.size(file) < 2) quit()
    "second"
  }, file = file)
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
  expect_true(unresolved(m))
  launch_local(1)

  expect_identical(value_of(m), "second")
})

test_that("retries that make no sense are refused", {
  at_end(daemons(0))
  expect_error(daemons(1, retries = "many"), "'retries' must be a number")
  expect_error(daemons(1, retries = c(oomph = 1)), "oomph")
  expect_error(daemons(1, retries = -1), "-1")
  expect_identical(unclass(daemons())$connections, 0L)
})

test_that("a parallel fork in a task is its own affair", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  value <- evaluated({
    unlist(parallel::mclapply(1:4, function(i) i^2, mc.cores = 2))
  })

  expect_identical(value, c(1, 4, 9, 16))
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a child that a task leaves behind answers for nobody", {
  set_daemons(1)
  value <- evaluated({
    child <- parallel::mcparallel({ Sys.sleep(0.2); "from the child" })
    "from the parent"
  })
  expect_identical(value, "from the parent")
  expect_identical(lapply(1:20, function(i) evaluated(i, i = i)), as.list(1:20))
})

test_that("what a task has forked dies with a daemon that is killed", {
  set_daemons(1, retries = 0)
  file <- file.path(set_folder(), "fork")
  m <- mirai({
    fork <- parallel::mcparallel(Sys.sleep(600))
    cat(fork$pid, file = file)
    tools::pskill(Sys.getpid(), tools::SIGKILL)
  }, file = file)
  expect_true(is_error_code(value_of(m), 19L))
  # Who has no parent may stay as a zombie, if nobody looks after those.
  stat <- file.path("/proc", readLines(file, warn = FALSE), "stat")
  expect_true(wait_for(function() {
    line <- suppressWarnings(tryCatch(readLines(stat), error = function(e) NULL))
    is.null(line) || grepl(") Z ", line, fixed = TRUE)
  }))
})

test_that("a session that forks uses its mirais in the parent alone", {
  set_daemons(2)
  before <- mirai({ Sys.sleep(0.3); "before" })
  child <- parallel::mcparallel({
    own <- mirai("from a fresh R")
    list(value = value_of(own), inherited = value_of(before),
         status = status()$connections)
  })
  during <- lapply(1:20, function(i) evaluated(i, i = i))
  told <- parallel::mccollect(child)[[1]]

  expect_identical(told$value, "from a fresh R")
  expect_true(is_error_code(told$inherited, 7L))
  expect_match(reason_of(told$inherited), "was forked from the session")
  expect_identical(told$status, 0L)
  expect_identical(during, as.list(1:20))
  expect_identical(value_of(before), "before")
  expect_identical(evaluated("after"), "after")
})

test_that("a forked child can set daemons of its own", {
  set_daemons(1)
  child <- parallel::mcparallel({
    daemons(1)
    value <- value_of(mirai("from its own daemon"))
    daemons(0)
    value
  })
  expect_identical(parallel::mccollect(child)[[1]], "from its own daemon")
  expect_identical(evaluated("after"), "after")
})

test_that("an ephemeral R that dies resolves its mirai to 19", {
  expect_true(is_error_code(evaluated(quit()), 19L))
  value <- evaluated({
    tools::pskill(Sys.getpid(), tools::SIGTERM)
    Sys.sleep(600)
  })
  expect_true(is_error_value(value))
  expect_identical(evaluated("next"), "next")
})

# Each of them waits until all are at work.
pids_of_daemons <- function(n) {
  folder <- set_folder()
  tasks <- lapply(seq_len(n), function(i) {
    mirai({
      file.create(file.path(folder, Sys.getpid()))
      while (length(dir(folder)) < n) Sys.sleep(0.02)
      Sys.getpid()
    }, folder = folder, n = n)
  })
  vapply(tasks, value_of, 0L)
}

test_that("local daemons that end unasked come back, with a task or without", {
  for (dispatcher in c(TRUE, FALSE)) {
    daemons(2, dispatcher = dispatcher)
    at_end(daemons(0))
    pids <- pids_of_daemons(2L)
    for (pid in pids) tools::pskill(pid, tools::SIGKILL)
    expect_true(wait_for(function() !any(vapply(pids, is_running, NA))))
    # Without dispatcher tasks are bound to the daemons that are there.
    online <- function() {
      now <- status()
      if (dispatcher) sum(now$daemons[, "online"]) else now$connections
    }
    expect_true(wait_for(function() online() == 2))
    after <- pids_of_daemons(2L)

    expect_false(any(pids %in% after))
    expect_length(unique(after), 2L)
    daemons(0)
  }
})

test_that("a task that kills its daemons resolves, and names each of them", {
  for (signal in c(9L, 15L, 1L)) {
    daemons(2)
    at_end(daemons(0))
    m <- mirai({
      tools::pskill(Sys.getpid(), signal)
      Sys.sleep(600)
    }, signal = signal)
    good <- lapply(1:10, function(i) mirai(i, i = i))

    expect_true(is_error_code(value_of(m), 19L))
    deaths <- gregexpr(paste("daemon [12] was killed by signal", signal),
                       reason_of(m$data))[[1L]]
    expect_length(deaths, 3L)
    expect_identical(lapply(good, value_of), as.list(1:10))
    daemons(0)
  }
})

test_that("without retries or dispatcher such a task resolves all the same", {
  for (more in list(list(retries = 0), list(dispatcher = FALSE),
                    list(dispatcher = FALSE, resilience = FALSE),
                    list(dispatcher = FALSE, retries = 0))) {
    do.call(daemons, c(list(1), more))
    at_end(daemons(0))
    m <- mirai(tools::pskill(Sys.getpid(), 9L))
    expect_true(is_error_code(value_of(m), 19L))
    expect_identical(evaluated("next"), "next")
    daemons(0)
  }
})

test_that("a limit of the kernel is told, and what it ended is not tried again", {
  set_daemons(1)
  file <- file.path(set_folder(), "runs")
  m <- mirai({
    cat("x", file = file, append = TRUE)
    tools::pskill(Sys.getpid(), 24L)
    Sys.sleep(600)
  }, file = file)

  expect_true(is_error_code(value_of(m), 19L))
  expect_match(reason_of(m$data), "limit of CPU time")
  expect_equal(file.size(file), 1)
})

test_that("a daemon that is started again draws other random numbers", {
  set_daemons(1, seed = 1)
  draw <- function() evaluated(list(runif(2), Sys.getpid()))
  first <- draw()
  tools::pskill(first[[2L]], tools::SIGKILL)
  second <- draw()

  expect_false(first[[2L]] == second[[2L]])
  expect_false(any(first[[1L]] %in% second[[1L]]))
})

test_that("with respawn = FALSE what waits is told so, and given up in time", {
  told <- capture_messages({
    set_daemons(1, respawn = FALSE, patience = 0.3)
    evaluated(quit())
    value <- evaluated("waits")
  })

  expect_true(is_error_code(value, 19L))
  expect_match(reason_of(value), "^no daemon has come for 0.3 s: daemon 1 ended")
  expect_match(told, "no daemon is left: daemon 1 ended by itself", all = FALSE)
  expect_match(told, "resolve to an error value 19", all = FALSE)
  launch_local(1)
  expect_identical(evaluated("here again"), "here again")
})

test_that("an R process for one task that cannot start says so in one sentence", {
  file <- file.path(set_folder(), "profile.R")
  writeLines("quit(status = 7)", file)
  said <- run_session(c(
    "library(tenkai)",
    sprintf("Sys.setenv(R_PROFILE_USER = '%s')", file),
    "value <- call_mirai(mirai(1))$data",
    "cat(value, attr(value, 'message'), '\n')"
  ), options = "--no-save")
  expect_match(said, paste("^19 the R process for this task ended by itself",
                           "with exit code 7 before it connected"), all = FALSE)
})

test_that("daemons that end as they were told are not started again", {
  set_daemons(1, maxtasks = 1, patience = 0.2)
  expect_identical(evaluated("one"), "one")
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))

  expect_match(reason_of(evaluated("two")), "maxtasks")
})

test_that("local daemons at a URL of the network are known by their ends, too", {
  pid <- function() evaluated(Sys.getpid())
  nobody <- function() sum(status()$daemons[, "online"]) == 0
  set_daemons(1, url = "wss://127.0.0.1:0/x")
  told <- capture_messages({
    launch_local(1, idletime = 100)
    expect_true(is.numeric(pid()))
    expect_true(wait_for(nobody))

    # More often than a daemon that never does anything is started again.
    launch_local(1)
    pids <- pid()
    for (i in 1:8) {
      tools::pskill(pids[i], tools::SIGKILL)
      pids <- c(pids, pid())
    }
    expect_identical(anyDuplicated(pids), 0L)

    expect_match(saisei(1, force = TRUE), "^wss://")
    expect_true(wait_for(nobody))
    launch_local(1)
    before <- pid()
    tools::pskill(before, tools::SIGKILL)
    expect_false(pid() == before)
  })
  expect_no_match(paste(told, collapse = "\n"), "before it connected")
})

test_that("daemons that may come are waited for, however long", {
  set_daemons(1, url = "abstract://tenkai-test-patience", patience = 0.1)
  m <- mirai("came")
  Sys.sleep(0.5)
  expect_true(unresolved(m))
  launch_local(1)
  expect_identical(value_of(m), "came")
})

test_that("a daemon that cannot come back is told, and no longer started", {
  folder <- set_folder()
  said <- run_session(c(
    "library(tenkai)",
    sprintf("setwd('%s')", folder),
    "daemons(1)",
    "pid <- call_mirai(mirai(Sys.getpid()))$data",
    "writeLines('quit(status = 7)', '.Rprofile')",
    "tools::pskill(pid, 9)",
    "m <- mirai('waits')",
    "for (i in 1:40) { Sys.sleep(0.1); status() }",
    "cat(unresolved(m), '\n')"
  ), options = "--no-save")
  expect_match(said, "the R process for daemon 1 .*exit code 7", all = FALSE)
  expect_match(said, "2 times in a row with nothing done", all = FALSE)
  expect_match(said, "started again in 5 s", all = FALSE)
})

test_that("patience that makes no sense is refused", {
  at_end(daemons(0))
  expect_error(daemons(1, patience = -1), "'patience' must be a number")
  expect_error(daemons(1, patience = "long"), "'patience' must be a number")
  expect_error(daemons(1, respawn = NA), "'respawn' must be TRUE or FALSE")
})
