test_that("launch_local(n =) launches daemons where none is", {
  set_daemons(3, url = "tcp://127.0.0.1:0")

  expect_null(launch_local(n = 1))
  launch_local(n = 1)

  expect_true(wait_for(function() sum(status()$daemons[, "online"]) == 2L))
  expect_identical(unname(status()$daemons[, "online"]), c(1L, 1L, 0L))
  expect_error(launch_local(n = 2), "1 of the 3 URLs are vacant")
  launch_local()
  expect_true(wait_for(function() sum(status()$daemons[, "online"]) == 3L))
  expect_error(launch_local(n = 1), "0 of the 3 URLs are vacant")
})

test_that("launch_local(n =) counts a daemon that has not come yet", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  launch_local(n = 1)
  expect_error(launch_local(n = 1), "0 of the 1 URLs are vacant")
  expect_true(wait_for(function() status()$daemons[, "online"] == 1L))
})

test_that("launch_local(n =) takes a URL again whose daemon has gone", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  for (instance in 1:2) {
    launch_local(n = 1, maxtasks = 1)
    m <- mirai("done")
    expect_identical(value_of(m), "done")
    expect_true(wait_for(function() status()$daemons[, "online"] == 0L))
  }
})

test_that("without dispatcher launch_local(n =) launches at the one URL", {
  set_daemons(url = "tcp://127.0.0.1:0", dispatcher = FALSE)
  launch_local(n = 2)
  expect_true(wait_for(function() status()$connections == 2L))
})

test_that("launch_local(n =) says what it needs", {
  expect_error(launch_local(n = 1), class = "tenkai_no_daemons")
  expect_error(launch_local(), class = "tenkai_no_daemons")
  set_daemons(1)
  expect_error(launch_local(1, n = 1), "either 'url' or 'n'")
  expect_error(launch_local(n = 0), "'n' must be a number of at least 1")
  expect_error(launch_local(n = "x"), "'n' must be a number")
})
