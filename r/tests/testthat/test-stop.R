# Tasks that are stopped, by their time or by stop_mirai().

test_that("an expired timeout is an error value 5, and ends the work", {
  set_daemons(1)
  m <- mirai(Sys.sleep(600), .timeout = 200)
  value <- value_of(m)

  expect_identical(class(value), c("errorValue", "try-error"))
  expect_identical(as.integer(value), 5L)
  expect_identical(printed(value)[1], "'errorValue' int 5 | Timed out")
  expect_false(is_mirai_error(value))
  expect_false(is_mirai_interrupt(value))
  expect_true(is_error_value(value))
  expect_identical(evaluated("free again"), "free again")
})

test_that("the timeout counts from the submission", {
  set_daemons(1)
  first <- mirai(Sys.sleep(600))
  second <- mirai("never", .timeout = 100)

  expect_true(is_error_code(value_of(second), 5L))
  stop_mirai(first)
  expect_identical(evaluated("free"), "free")
  expect_equal(unname(status()$daemons[, "assigned"]), 2)
})

test_that("a timeout also holds where no daemons are set", {
  expect_true(is_error_code(evaluated(Sys.sleep(600), .timeout = 50), 5L))
})

test_that("unresolved mirais resolve to 7 when daemons are reset", {
  for (dispatcher in c(TRUE, FALSE)) {
    daemons(1, dispatcher = dispatcher)
    tasks <- list(mirai(Sys.sleep(600)), mirai("queued"))
    daemons(0)
    for (m in tasks) {
      expect_true(is_error_code(m$data, 7L))
      expect_identical(printed(m$data)[1], "'errorValue' int 7 | Object closed")
    }
  }
})

test_that("stop_mirai() resolves to 20 at once, queued or running", {
  set_daemons(1)
  file <- file.path(set_folder(), "ran")
  running <- mirai(Sys.sleep(600))
  queued <- mirai(file.create(file), file = file)

  expect_true(stop_mirai(queued))
  expect_false(withVisible(stop_mirai(running))$visible)
  for (m in list(running, queued)) {
    expect_identical(as.integer(m$data), 20L)
    expect_identical(printed(m$data)[1],
                     "'errorValue' int 20 | Operation canceled")
  }
  expect_identical(evaluated("free"), "free")
  expect_false(file.exists(file))
})

test_that("stop_mirai() does nothing to a mirai that has its value", {
  set_daemons(1)
  m <- mirai("mine")
  call_mirai(m)
  stop_mirai(m)
  expect_identical(m$data, "mine")
})

test_that("a daemon that does not obey is ended after kill_after", {
  set_daemons(1, kill_after = 1)
  pid <- evaluated(Sys.getpid())
  begun <- file.path(set_folder(), "begun")
  m <- mirai(suspendInterrupts({
    file.create(begun)
    repeat NULL
  }), begun = begun)
  expect_true(wait_for(function() file.exists(begun)))
  stop_mirai(m)

  expect_true(is_error_code(m$data, 20L))
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
  expect_false(is_running(pid))
})

test_that("stop_mirai() says where it has stopped something", {
  set_daemons(1)
  done <- call_mirai(mirai(1))
  running <- mirai(Sys.sleep(600))
  nested <- list(mirai(Sys.sleep(600)), mirai(Sys.sleep(600)))

  expect_identical(stop_mirai(list(a = done, running, 3, NULL, list(done, nested))),
                   c(FALSE, TRUE, FALSE, FALSE, TRUE))
  expect_false(withVisible(stop_mirai(running))$visible)
  expect_false(stop_mirai(running))
  expect_true(stop_mirai(mirai(Sys.sleep(600))))
  expect_true(all(vapply(nested, function(m) is_error_code(m$data, 20L), NA)))
})
