set_sync <- function(..., frame = parent.frame()) {
  set_daemons(..., sync = TRUE, frame = frame)
}

# What a task makes of `expr`, here and on a daemon.
both <- function(expr, ...) {
  call <- bquote(evaluated(.(substitute(expr)), ...))
  here <- with(daemons(sync = TRUE, .compute = "here"), eval(call))
  there <- with(daemons(1, .compute = "there"), eval(call))
  list(here = here, there = there)
}

expect_same <- function(values) {
  expect_identical(values$here, values$there)
}

test_that("with sync = TRUE a mirai is evaluated in this session, at once", {
  expect_identical(unclass(set_sync())[1], 1L)

  m <- mirai(Sys.getpid())

  expect_false(unresolved(m))
  expect_identical(m$data, Sys.getpid())
  expect_identical(printed(m), "< mirai | $data >")
  expect_true(all(c("cpu", "memory", "seconds") %in% names(m$usage)))
})

test_that("a task has the values here that it has on a daemon", {
  expect_same(both({
    y <- x + z
    list(y, ls(), environmentName(parent.env(environment())))
  }, x = 1, .args = list(z = 2)))
  expect_same(both(f(1), f = function(x) g(x) + 1, g = function(x) 2 * x))
  expect_same(both(quote(a + b)))
  expect_same(both(structure(1:3, class = "odd")))
  expect_same(both(invisible(NULL)))
})

test_that("an error here is that of a daemon", {
  f <- function(x) if (x > 0) stop("positive")
  capture.output(type = "message", {
    values <- both({
      f(-1)
      f(1)
    }, f = f)
    unclear <- both(stop(structure(class = c("mine", "error", "condition"),
                                   list(message = "m", call = NULL, more = 1))))
    warned <- both({
      options(warn = 2)
      as.integer("x")
    })
    deep <- both((function(f) f(f))(function(f) f(f)))
  })

  expect_same(values)
  expect_length(values$here$stack.trace, 2L)
  expect_same(unclear)
  expect_same(warned)
  expect_true(is_mirai_error(deep$here))
})

test_that("an interrupt here is the value of its task", {
  set_sync()
  interrupted <- mirai({
    tools::pskill(Sys.getpid(), tools::SIGINT)
    Sys.sleep(60)
  })
  expect_true(is_mirai_interrupt(interrupted$data))
  expect_identical(mirai(1)$data, 1)
})

test_that("an interrupt of a map stops what is left", {
  set_sync()
  map <- mirai_map(1:4, function(i) {
    if (i == 1) return(i)
    tools::pskill(Sys.getpid(), tools::SIGINT)
    Sys.sleep(60)
  })
  values <- map[]
  expect_identical(values[[1]], 1L)
  expect_true(is_mirai_interrupt(values[[2]]))
  for (value in values[3:4]) expect_true(is_error_code(value, 20L))
  expect_identical(mirai(1)$data, 1)
})

test_that("a jump out of a task ends the task and not its caller", {
  set_sync()
  capture.output(type = "message", {
    m <- mirai(invokeRestart("abort"))
    caught <- withCallingHandlers(
      tryCatch(mirai(stop("within"))$data, error = function(e) "ours"),
      message = function(m) stop("not ours")
    )
  })
  expect_match(m$data, "jumped to the top level")
  expect_true(is_mirai_error(caught))
})

test_that("what is sent here is a copy, and so is what comes back", {
  set_sync()
  e <- new.env()
  e$v <- 1

  m <- mirai({
    e$v <- 2
    e
  }, e = e)

  expect_identical(e$v, 1)
  expect_identical(m$data$v, 2)
  expect_false(identical(m$data, e))
})

test_that("a task here leaves nothing behind", {
  set_sync()
  global <- globalenv()
  assign("tenkai_x", "mine", envir = global)
  at_end(rm("tenkai_x", envir = globalenv()))
  set.seed(1)
  seed <- get(".Random.seed", envir = global)
  searched <- search()
  digits <- getOption("digits")

  m <- mirai({
    tenkai_y <<- tenkai_x
    library(stats4)
    options(digits = digits)
    sink(nullfile())
    list(tenkai_x, rnorm(1))
  }, tenkai_x = "the task's", digits = 3)

  expect_identical(m$data[[1L]], "the task's")
  expect_identical(get("tenkai_x", envir = global), "mine")
  expect_false(exists("tenkai_y", envir = global))
  expect_false(exists("digits", envir = global, inherits = FALSE))
  expect_identical(search(), searched)
  expect_identical(getOption("digits"), digits)
  expect_identical(get(".Random.seed", envir = global), seed)
  capture.output(type = "message",
                 invisible(mirai(stop("oh"), tenkai_x = "the task's")))
  expect_identical(get("tenkai_x", envir = global), "mine")
})

test_that("a task here does not get the place of what is locked or active", {
  set_sync()
  global <- globalenv()
  assign("tenkai_x", "mine", envir = global)
  lockBinding("tenkai_x", global)
  makeActiveBinding("tenkai_y", function() "active", global)
  at_end({
    unlockBinding("tenkai_x", globalenv())
    rm("tenkai_x", "tenkai_y", envir = globalenv())
  })

  capture.output(type = "message", {
    locked <- mirai(tenkai_x, tenkai_x = 1)
    active <- mirai(tenkai_y, tenkai_y = 1)
  })

  expect_match(locked$data, "cannot change value of locked binding")
  expect_true(is_mirai_error(active$data))
  expect_identical(get("tenkai_x", envir = global), "mine")
  expect_identical(get("tenkai_y", envir = global), "active")
})

test_that("the browser stands within a task here", {
  # It reads what to do from where R reads its commands: the lines of the script.
  said <- run_session(c(
    "library(tenkai)",
    "invisible(daemons(sync = TRUE))",
    "m <- mirai({ inner <- x + 1; browser(); inner }, x = 1)",
    "cat(inner, '\\n')",
    "c",
    "cat('value', m$data, '\\n')"
    # testthat makes an error of a browser that it did not open.
  ), "_R_CHECK_BROWSER_NONINTERACTIVE_=false")
  expect_match(said, "Called from", all = FALSE)
  expect_match(said, "^2 $", all = FALSE)
  expect_match(said, "value 2", all = FALSE)
})

test_that("a task here may end its own profile", {
  set_sync()
  expect_identical(mirai({
    tenkai::daemons(0)
    2
  })$data, 2)
  expect_false(daemons_set())
  expect_false(on_daemon())
})

test_that("a session without random numbers has none after a task either", {
  expect_identical(run_session(c(
    "library(tenkai)",
    "invisible(daemons(sync = TRUE))",
    "rm(.Random.seed, envir = globalenv())",
    "m <- mirai(runif(1))",
    "cat(exists('.Random.seed', globalenv(), inherits = FALSE))"
  )), "FALSE")
})

test_that("with cleanup = FALSE what a task makes stays", {
  set_sync(cleanup = FALSE)
  at_end(rm("tenkai_x", "tenkai_y", envir = globalenv()))
  mirai(tenkai_y <<- 2 * tenkai_x, tenkai_x = 1)
  expect_identical(mirai(tenkai_y)$data, 2)
})

test_that("everywhere() is evaluated here, stays, and has a value", {
  set_sync()
  at_end(rm("tenkai_x", envir = globalenv()))
  made <- everywhere(tenkai_x <- 1)
  expect_null(made[[1L]]$data)
  expect_identical(everywhere(tenkai_x + 1)[[1L]]$data, 2)
  expect_identical(mirai(tenkai_x)$data, 1)
})

test_that("random numbers here are those of the first daemon", {
  draw <- function() {
    c(evaluated(runif(2)), evaluated(rnorm(1)), nextstream())
  }
  here <- with(daemons(sync = TRUE, seed = 7), draw())
  there <- with(daemons(1, seed = 7), draw())
  expect_identical(here, there)
})

test_that("a task within a task has its value, its error and its cleanup", {
  set_sync()
  capture.output(type = "message", {
    m <- mirai({
      inner <- tenkai::mirai({
        tenkai_x <<- "inner"
        stop("within")
      }, tenkai_x = "given")$data
      list(inner, tenkai_x, tenkai::on_daemon(), stop("after"))
    }, tenkai_x = "outer")
    n <- mirai({
      inner <- tenkai::mirai(stop("within"))$data
      list(inner, tenkai_x, runif(1) != tenkai::mirai(runif(1))$data)
    }, tenkai_x = "outer")
  })

  expect_identical(as.character(m$data), "Error: after")
  expect_true(is_mirai_error(n$data[[1L]]))
  expect_identical(n$data[-1L], list("outer", TRUE))
  expect_false(on_daemon())
  expect_false(exists("tenkai_x", globalenv()))
})

test_that("a profile with sync leaves the others alone", {
  set_daemons(1)
  set_daemons(sync = TRUE, .compute = "here")
  expect_false(evaluated(Sys.getpid()) == Sys.getpid())
  expect_identical(with_daemons("here", mirai(Sys.getpid())$data), Sys.getpid())
  nested <- mirai({
    list(Sys.getpid(), tenkai::mirai(Sys.getpid())$data)
  }, .compute = "here")
  expect_length(nested$data, 2L)
})

test_that("what asks about daemons has an answer with sync", {
  set_sync()
  mirai(1)
  expect_identical(info(), c(connections = 1L, cumulative = 1L, awaiting = 0L,
                             executing = 0L, completed = 1L))
  expect_identical(status()$daemons[, c("online", "assigned", "complete")],
                   c(online = 1L, assigned = 1L, complete = 1L))
  expect_identical(printed(status())[1:2], c("$connections", "[1] 1"))
  expect_identical(nextget("n"), 1L)
  expect_null(nextget("pid"))
  expect_null(nextget("urls"))
  expect_true(daemons_set())
  expect_null(saisei(1))
  expect_error(launch_local(1), "evaluates here")
  expect_message(daemons(1), "call daemons(0) first to set others\n", fixed = TRUE)
  expect_error(launch_remote(1), "evaluates here")
  expect_identical(mirai(1, .timeout = 1)$data, 1)
  m <- mirai(1)
  stop_mirai(m)
  expect_identical(m$data, 1)
  expect_identical(daemons(0), 0L)
  expect_false(daemons_set())
})

test_that("with safe and sync a result is nothing but data", {
  set_sync(safe = TRUE)
  expect_identical(mirai(1:3)$data, 1:3)
  expect_true(is_error_code(mirai(function() 1)$data, 13L))
})

test_that("a large value comes back here, too", {
  set_sync()
  x <- runif(3e5)
  expect_identical(mirai(x, x = x)$data, x)
})

test_that("a map is evaluated here, with the numbers that daemons would draw", {
  draw <- function(i, a) i + a + runif(1)
  set_daemons(2, seed = 1)
  expected <- mirai_map(1:5, draw, .args = list(a = 10))[.flat]
  daemons(0)
  set_sync(seed = 1)
  expect_identical(mirai_map(1:5, draw, .args = list(a = 10))[.flat], expected)
  rows <- data.frame(x = 1:2, y = 3:4)
  expect_identical(mirai_map(rows, function(x, y) x * y)[.flat], c(3L, 8L))

  map <- mirai_map(c(a = 1, b = -1), function(x) if (x < 0) stop("no") else x)
  expect_identical(printed(map), "< mirai map [2/2] >")
  expect_false(unresolved(map))
  expect_identical(map$a[], 1)
  expect_match(map[]$b, "Error in .f\\(.x\\): no")
  expect_error(map[.stop], "In index 2 \\('b'\\), the mirai has no value")
  expect_length(mirai_map(list(), identity)[], 0)
})

test_that(".relay is checked here as elsewhere", {
  set_sync()
  expect_error(mirai(1, .relay = "all"), "'.relay' must be TRUE, FALSE or some of")
  expect_error(try_mirai(1, .relay = 3), "'.relay' must be TRUE, FALSE or some of")
  expect_error(mirai_map(1, identity, .relay = "all"), "'.relay' must be TRUE")
  expect_identical(value_of(mirai(1, .relay = TRUE)), 1)
})

test_that("with sync = TRUE tasks have the options that daemons would get", {
  before <- options(digits = 7)
  on.exit(options(before))
  set_sync(options = list(digits = 3, tenkai.of.test = "x"))
  digits <- function() {
    mirai(list(getOption("digits"), getOption("tenkai.of.test"), mirai(getOption("digits"))$data))$data
  }
  expect_identical(digits(), list(3L, "x", 3L))
  expect_identical(getOption("digits"), 7L)
  expect_null(getOption("tenkai.of.test"))
  call_mirai(mirai(options(digits = 5)))
  expect_identical(digits()[[1]], 3L)
})
