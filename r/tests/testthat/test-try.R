test_that("try_mirai() does not wait for memory", {
  gate <- file.path(set_folder(), "gate")
  set_daemons(1, memory = 3e6)
  first <- mirai({
    while (!file.exists(gate)) Sys.sleep(0.01)
    length(x)
  }, gate = gate, x = raw(2e6))

  expect_null(try_mirai(length(x), x = raw(2e6)))
  small <- try_mirai("small")
  expect_true(is_mirai(small))

  file.create(gate)
  expect_identical(value_of(first), 2000000L)
  expect_identical(value_of(small), "small")
  last <- try_mirai(length(x), x = raw(2e6))
  expect_identical(value_of(last), 2000000L)
})

test_that("try_mirai() takes what mirai() takes", {
  set_daemons(1, .compute = "side")
  expr <- quote(x + y)
  m <- try_mirai(expr, x = 1, .args = list(y = 2), .compute = "side")
  expect_identical(value_of(m), 3)
  expect_identical(with_daemons("side", value_of(try_mirai(1))), 1)
  expect_error(try_mirai(), "missing expression, perhaps wrap in {}?",
               fixed = TRUE)
  expect_error(try_mirai(1, .timeout = "x"), "'.timeout' must be a number")
  late <- try_mirai(Sys.sleep(600), .timeout = 1, .compute = "side")
  expect_true(is_error_code(value_of(late), 5L))
  expect_identical(value_of(try_mirai("without daemons")), "without daemons")
})

test_that("a task that is alone is taken by try_mirai(), however large", {
  set_daemons(1, memory = 1e5)
  expect_identical(value_of(try_mirai(length(x), x = raw(1e6))), 1000000L)
})

test_that("what is not submitted takes no random numbers from what is", {
  set_daemons(1, seed = 7, memory = 1e6)
  gate <- file.path(set_folder(), "gate")
  hold <- mirai(while (!file.exists(gate)) Sys.sleep(0.01), gate = gate)
  expect_null(try_mirai(length(x), x = raw(2e6)))
  m <- mirai(.Random.seed)
  file.create(gate)
  RNGkind("L'Ecuyer-CMRG")
  at_end(RNGkind("default"))
  set.seed(7)
  expect_identical(value_of(m), parallel::nextRNGStream(.Random.seed))
})

test_that("hooks, whatever their size, take no memory from tasks", {
  large <- paste(rep("x", 1e5), collapse = "")
  config <- serial_config("no_such_class", eval(bquote(function(x) {
    .(large)
    serialize(x, NULL)
  })), unserialize)
  set_daemons(url = "tcp://127.0.0.1:0", memory = 10000, serial = config)
  expect_identical(status()$memory[["capacity"]], 10000)
  expect_s3_class(try_mirai(x, x = runif(2000)), "mirai")
  expect_null(try_mirai(x, x = runif(2000)))
})
