values_of <- function(mirais) {
  lapply(seq_along(mirais), function(i) value_of(mirais[[i]]))
}

test_that("everywhere() has the value of each daemon, to wait for", {
  set_daemons(2)
  made <- withVisible(everywhere(Sys.getpid()))

  expect_false(made$visible)
  expect_s3_class(made$value, "mirai_map")
  pids <- unlist(values_of(made$value))
  expect_length(unique(pids), 2L)
  expect_true(evaluated(Sys.getpid()) %in% pids)
})

test_that("everywhere() without dispatcher has the value of each daemon", {
  set_daemons(2, dispatcher = FALSE)
  expect_length(unique(values_of(everywhere(Sys.getpid()))), 2L)
})

test_that("everywhere() has no value where no daemons are set", {
  expect_null(everywhere(1))
  expect_false(withVisible(everywhere(1))$visible)
})

test_that("the value of an assignment does not come back from everywhere()", {
  set_daemons(1)
  expect_identical(values_of(everywhere(x <- 5)), list(NULL))
  expect_identical(values_of(everywhere({
    5
    y = x
  })), list(NULL))
  expect_identical(values_of(everywhere(x + y)), list(10))
})

test_that("an error of everywhere() is its value, and a message", {
  set_daemons(1)
  expect_message({
    value <- values_of(everywhere(stop("no package")))[[1L]]
    status()
  }, "everywhere() failed on daemon 1: Error: no package", fixed = TRUE)
  expect_true(is_mirai_error(value))
})

test_that("everywhere(.min =) waits for daemons that connect later", {
  set_daemons(2, url = "tcp://127.0.0.1:0")
  launch_local(1)
  expect_true(wait_for(function() sum(status()$daemons[, "online"]) == 1L))

  made <- everywhere(Sys.getpid(), .min = 2)

  expect_length(made, 2L)
  first <- value_of(made[[1L]])
  expect_true(unresolved(made[[2L]]))
  launch_local(2)
  expect_false(value_of(made[[2L]]) == first)
})

test_that("a daemon that dies in everywhere() makes an error value", {
  set_daemons(1, respawn = FALSE)
  value <- suppressMessages(
    values_of(everywhere(tools::pskill(Sys.getpid(), tools::SIGKILL)))[[1L]]
  )
  expect_true(is_error_code(value, 19L))
  expect_match(reason_of(value),
               "daemon 1 was killed .* while it ran everywhere")
})

test_that("daemons(0) closes what everywhere() has not answered", {
  set_daemons(1)
  made <- everywhere(Sys.sleep(600))
  expect_true(unresolved(made[[1L]]))
  daemons(0)
  expect_true(is_error_code(made[[1L]]$data, 7L))
})

test_that("stop_mirai() of an everywhere() ends the wait alone", {
  gate <- file.path(set_folder(), "gate")
  set_daemons(1)
  made <- everywhere({
    while (!file.exists(gate)) Sys.sleep(0.01)
    came <- TRUE
  }, gate = gate)
  stop_mirai(made[[1L]])
  expect_true(is_error_code(made[[1L]]$data, 20L))
  file.create(gate)
  expect_true(evaluated(came))
})

test_that("the values of everywhere() may be forgotten", {
  set_daemons(1)
  for (i in 1:50) everywhere(i, i = i)
  gc()
  expect_identical(evaluated(i), 50L)
})

test_that("everywhere() checks its minimum", {
  expect_error(everywhere(1, .min = "x"), "'.min' must be a number")
  expect_error(everywhere(1, .min = 1e9), "'.min' must be at most 65536")
})
