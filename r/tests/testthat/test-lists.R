# What is waited for, asked and stopped: a mirai, a list of them, or anything else.

test_that("call_mirai() and the others take anything", {
  for (thing in list(1, "a", NULL, quote(a), new.env())) {
    expect_identical(call_mirai(thing), thing)
    expect_identical(call_mirai_(thing), thing)
    expect_identical(collect_mirai(thing), thing)
    expect_false(stop_mirai(thing))
    expect_identical(race_mirai(thing), 0L)
  }
  expect_identical(call_mirai(list()), list())
  expect_identical(collect_mirai(list()), list())
  expect_identical(stop_mirai(list()), logical())
  expect_identical(race_mirai(list()), 0L)
  expect_false(unresolved(1))
  expect_false(is_mirai(1))
  expect_false(is_mirai_error(1))
  expect_false(is_mirai_interrupt(1))
  expect_false(is_error_value(1))
})

test_that("lists of mirais are waited for, asked and stopped as one", {
  set_daemons(2)
  tasks <- list(mirai(1), mirai(2))
  call_mirai(tasks)
  expect_false(unresolved(tasks))
  expect_identical(lapply(tasks, function(m) m$data), list(1, 2))

  tasks <- lapply(1:4, function(i) mirai(Sys.sleep(600)))
  expect_true(unresolved(tasks))
  stop_mirai(tasks)
  expect_false(unresolved(tasks))
})

test_that("lists of mirais may be nested, and share parts", {
  set_daemons(2)
  m <- mirai({Sys.sleep(0.3); 1})
  other <- mirai({Sys.sleep(0.3); 2})
  tasks <- list(list(1, NULL, a = list(m)), "b", pairlist(other))
  expect_true(unresolved(tasks))
  expect_true(unresolved(list(list(m$data))))

  expect_identical(call_mirai(tasks), tasks)
  expect_identical(list(m$data, other$data), list(1, 2))
  expect_false(unresolved(tasks))

  m <- mirai(Sys.sleep(600))
  for (i in 1:100) tasks <- list(tasks, tasks, m)
  expect_true(unresolved(tasks))
  # What the first list holds is stopped, and is in the others, too.
  expect_identical(stop_mirai(tasks), c(TRUE, FALSE, FALSE))
  expect_true(is_error_code(m$data, 20L))
  expect_false(unresolved(tasks))
})

test_that("a value is not unresolved, however large and deep it is", {
  deep <- list()
  for (i in 1:20000) deep <- list(deep)

  expect_false(unresolved(deep))
  expect_false(unresolved(rep(list(1:3), 1e6)))
  expect_type(call_mirai(deep), "list")
  expect_false(stop_mirai(deep))
  expect_length(collect_mirai(deep), 1L)
})
