# daemons(open = TRUE): one queue for any number of daemons.

test_that("daemons can be added to those that there are", {
  set_daemons(1, open = TRUE)
  expect_identical(status()$connections, 1L)
  expect_identical(status()$daemons, nextget("url"))
  first <- evaluated(Sys.getpid())

  launch_local(n = 2)
  expect_true(wait_for(function() status()$connections == 3L))
  expect_identical(info()[["connections"]], 3L)
  pids <- unlist(everywhere(Sys.getpid())[])
  expect_length(unique(pids), 3L)
  expect_true(first %in% pids)
})

test_that("what is queued before there are daemons is done by whoever comes", {
  expect_match(set_daemons(url = "tcp://127.0.0.1:0", open = TRUE),
               "^tcp://127.0.0.1:[0-9]+$")
  mirais <- lapply(1:20, function(i) mirai(i, i = i))
  launch_local(n = 2)
  expect_identical(lapply(mirais, function(m) call_mirai(m)$data), as.list(1:20))
})

test_that("a task whose daemon dies goes to another, which is started again", {
  set_daemons(2, open = TRUE)
  m <- mirai({
    if (!file.exists(file)) {
      file.create(file)
      tools::pskill(Sys.getpid(), tools::SIGKILL)
      Sys.sleep(60)
    }
    "done"
  }, file = file.path(set_folder(), "tried"))
  expect_identical(call_mirai(m)$data, "done")
  expect_true(wait_for(function() status()$connections == 2L))
})

test_that("launches that need places are refused", {
  expect_error(daemons(2, url = "ws://127.0.0.1:0", open = TRUE,
                       remote = ssh_config("ssh://host")),
               "have no places that 'remote'")
  expect_error(daemons(profile = "any", open = TRUE), "'profile' could")
  expect_error(daemons(1, open = 1), "'open' must be")
  expect_false(daemons_set())
})
