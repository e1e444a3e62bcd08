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
  launch_local(1)
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
  set_daemons(1, retries = 1)
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
  set_daemons(1, retries = c(0, quit = 1))
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

test_that("a session that forks uses its mirais in the parent alone", {
  set_daemons(2)
  before <- mirai({ Sys.sleep(0.3); "before" })
  child <- parallel::mcparallel({
    own <- mirai("from a fresh R")
    list(value = call_mirai(own)$data, inherited = call_mirai(before)$data,
         status = status()$connections)
  })
  during <- lapply(1:20, function(i) evaluated(i, i = i))
  told <- parallel::mccollect(child)[[1]]

  expect_identical(told$value, "from a fresh R")
  expect_true(is_error_code(told$inherited, 7L))
  expect_identical(told$status, 0L)
  expect_identical(during, as.list(1:20))
  expect_identical(value_of(before), "before")
  expect_identical(evaluated("after"), "after")
})

test_that("a forked child can set daemons of its own", {
  set_daemons(1)
  child <- parallel::mcparallel({
    daemons(1)
    value <- call_mirai(mirai("from its own daemon"))$data
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
