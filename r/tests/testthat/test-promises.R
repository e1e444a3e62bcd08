# Mirais as promises: who is told, when, and what it costs.

has_promises <- function() {
  skip_if_not_installed("promises")
  skip_if_not_installed("later")
}

# What became of promises, by name: the value, or the condition.
keeper <- function() {
  got <- new.env()
  keep <- function(name, x) {
    force(name)
    promises::then(promises::as.promise(x),
                   function(value) got[[name]] <- list(value = value),
                   function(why) got[[name]] <- list(condition = why))
  }
  # Runs the loop until so many have come. Each turn waits for events, as a
  # session at its prompt does: what nobody is told of is not found by looking.
  run <- function(n, loop = later::global_loop()) {
    wait_for(pause = 0, function() {
      later::run_now(if (length(got) < n) 60 else 0, loop = loop)
      length(got) >= n
    })
  }
  list(got = got, keep = keep, run = run)
}

test_that("each of many promises is fulfilled with the value of its mirai", {
  has_promises()
  set_daemons(2)
  k <- keeper()
  for (i in 1:50) k$keep(as.character(i), mirai(i * 2, .args = list(i = i)))

  expect_true(k$run(50))
  expect_equal(vapply(1:50, function(i) k$got[[as.character(i)]]$value, 0),
               1:50 * 2)
  expect_length(ls(tenkai:::watches), 0)
})

test_that("a promise is told also where another call has read its answer", {
  has_promises()
  set_daemons(1)
  k <- keeper()
  first <- mirai("first")
  second <- mirai("second")
  k$keep("first", first)
  k$keep("second", second)
  # There is nothing to read any more when the loop runs.
  call_mirai(mirai("third"))

  expect_true(k$run(2))
  expect_identical(k$got$first$value, "first")
  expect_identical(k$got$second$value, "second")
})

test_that("what another call has read rings, for who waits for descriptors", {
  has_promises()
  skip_if_not("later_fd" %in% getNamespaceExports("later"))
  set_daemons(1)
  m <- mirai(1)
  .Call(tenkai:::tk_watch, m)
  link <- .Call(tenkai:::tk_watched_link, m)
  call_mirai(m)
  rung <- NULL

  bell <- .Call(tenkai:::tk_watch_fds, link)[1L]
  later::later_fd(function(ready) rung <<- ready, readfds = bell, timeout = 60)

  expect_true(wait_for(pause = 0, function() {
    later::run_now(60)
    !is.null(rung)
  }))
  expect_true(rung)
  expect_length(.Call(tenkai:::tk_ripe, link), 1)
  expect_length(.Call(tenkai:::tk_ripe, link), 0)
})

test_that("a mirai can be several promises, also when it has its value", {
  has_promises()
  set_daemons(1)
  k <- keeper()
  m <- mirai("value")
  k$keep("one", m)
  k$keep("two", m)
  expect_true(k$run(2))
  k$keep("three", m)
  expect_true(k$run(3))

  for (name in c("one", "two", "three")) {
    expect_identical(k$got[[name]]$value, "value")
  }
})

test_that("a promise is rejected with the condition that was raised", {
  has_promises()
  set_daemons(1)
  k <- keeper()
  k$keep("own", mirai(stop(structure(
    class = c("no_such_file", "error", "condition"),
    list(message = "not there", call = NULL, path = "/x")
  ))))
  k$keep("late", mirai(Sys.sleep(600), .timeout = 100))

  expect_true(k$run(2))
  expect_s3_class(k$got$own$condition, "no_such_file")
  expect_identical(k$got$own$condition$path, "/x")
  expect_s3_class(k$got$late$condition,
                  c("errorValue", "simpleError", "error", "condition"),
                  exact = TRUE)
  expect_identical(k$got$late$condition$code, 5L)
  expect_match(conditionMessage(k$got$late$condition), "5 | Timed out",
               fixed = TRUE)
})

test_that("stop_mirai() rejects the promise of what it stops", {
  has_promises()
  set_daemons(1)
  k <- keeper()
  m <- mirai(Sys.sleep(600))
  k$keep("stopped", m)
  stop_mirai(m)

  expect_true(k$run(1))
  expect_identical(k$got$stopped$condition$code, 20L)
})

test_that("promises are rejected where the daemons, or the dispatcher, end", {
  has_promises()
  for (end in list(function() daemons(0),
                   function() tools::pskill(nextget("pid"), tools::SIGKILL))) {
    set_daemons(1)
    k <- keeper()
    k$keep("gone", mirai(Sys.sleep(600)))
    later::run_now(0)
    end()
    expect_true(k$run(1))
    expect_true(k$got$gone$condition$code %in% c(7L, 19L))
    daemons(0)
  }
})

test_that("a list, or a map, is a promise of the list of its values", {
  has_promises()
  set_daemons(2)
  k <- keeper()
  map <- function(...) structure(list(...), class = "mirai_map")
  k$keep("list", promises::promise_all(.list = list(mirai(1), mirai(2))))
  k$keep("map", map(a = mirai(1), b = mirai("two")))
  k$keep("some names", map(a = mirai(1), mirai(2)))
  k$keep("none", map())
  k$keep("error", map(mirai(1), mirai(stop(structure(
    class = c("custom", "error", "condition"), list(message = "oh", call = NULL)
  )))))
  other <- mirai_map(1:2, identity)
  k$keep("of another process", unserialize(serialize(other, NULL)))

  expect_true(k$run(6))
  expect_identical(k$got$`of another process`$condition$code, 7L)
  expect_identical(k$got$list$value, list(1, 2))
  expect_identical(k$got$map$value, list(a = 1, b = "two"))
  expect_identical(k$got$`some names`$value,
                   structure(list(1, 2), names = c("a", "")))
  expect_identical(k$got$none$value, list())
  expect_s3_class(k$got$error$condition, "custom")
})

test_that("a promise is fulfilled in a loop of somebody's own", {
  has_promises()
  set_daemons(1)
  k <- keeper()
  later::with_temp_loop({
    k$keep("inner", mirai("value"))
    expect_true(k$run(1, later::current_loop()))
  })
  expect_identical(k$got$inner$value, "value")
})

test_that("the session does not look at each of its pending promises", {
  has_promises()
  set_daemons(1)
  space <- asNamespace("tenkai")
  looks <- new.env()
  looks$n <- 0
  assign("looks_of_test", looks, envir = globalenv())
  count <- quote(looks_of_test$n <- looks_of_test$n + 1)
  suppressMessages(trace("settle_ripe", count, where = space, print = FALSE))
  at_end({
    suppressMessages(untrace("settle_ripe", where = space))
    rm("looks_of_test", envir = globalenv())
  })
  k <- keeper()
  all <- lapply(1:200, function(i) mirai(Sys.sleep(600)))
  for (i in seq_along(all)) k$keep(as.character(i), all[[i]])
  while (later::run_now(0)) NULL
  before <- looks$n
  until <- Sys.time() + 1
  while (Sys.time() < until) later::run_now(1)

  # With pauses that grow to a tenth of a second, 18 fit into one.
  most <- if ("later_fd" %in% getNamespaceExports("later")) 0 else 18
  expect_lte(looks$n - before, most)
  for (m in all) stop_mirai(m)
  expect_true(k$run(200))
})

test_that("a map is a promise of all its values, and each element one of its own", {
  skip_if_not_installed("promises")
  daemons(2)
  on.exit(daemons(0))
  said <- new.env()
  each <- 0
  m <- mirai_map(c(a = 1, b = 2), function(x) x * 2,
                 .promise = function(value) each <<- each + value)
  promises::then(promises::as.promise(m), function(values) said$all <- values)
  bad <- mirai_map(1:3, function(x) if (x == 2) stop("no two") else Sys.sleep(60))
  promises::then(promises::as.promise(bad), NULL, function(e) said$error <- e)
  wait_for(function() {
    later::run_now(0.1)
    !is.null(said$all) && !is.null(said$error)
  })
  expect_identical(said$all, list(a = 2, b = 4))
  expect_identical(each, 6)
  expect_match(conditionMessage(said$error), "no two")
  stopped <- mirai_map(1:2, function(x) Sys.sleep(60), .promise = list(NULL, function(e) said$code <- e$code))
  stop_mirai(stopped)
  wait_for(function() {
    later::run_now(0.1)
    !is.null(said$code)
  })
  expect_identical(said$code, 20L)
})
