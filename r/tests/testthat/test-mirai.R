test_that("a mirai is an object that knows nothing yet", {
  set_daemons(1)
  m <- mirai(Sys.sleep(600))

  expect_identical(class(m), c("mirai", "recvAio"))
  expect_true(is_mirai(m))
  expect_identical(printed(m), "< mirai | $data >")
  expect_true(unresolved(m))
  expect_true(unresolved(m$data))
  expect_identical(class(m$data), "unresolvedValue")
  expect_identical(unclass(m$data), NA)
  expect_identical(printed(m$data), "'unresolved' logi NA")
  expect_null(m$value)
  stop_mirai(m)
})

test_that("a mirai resolves to the value of its expression", {
  set_daemons(1)
  m <- mirai({
    a <- 1
    a + 1
  })

  call_mirai(m)
  expect_identical(call_mirai(m), m)
  expect_false(withVisible(call_mirai(m))$visible)
  expect_false(unresolved(m))
  expect_false(unresolved(m$data))
  expect_identical(m$data, 2)
  expect_identical(m$value, 2)
})

test_that("values of every kind come back as they were", {
  set_daemons(1)
  values <- list(
    NULL, NA, 1:3, c(a = 1.5), 1i, "\u5c55\u958b", as.raw(0:255),
    quote(a + b), list(1, "b"),
    iris, Sys.Date(), factor(c("x", "y")), matrix(1:4, 2), expression(a, b),
    numeric(), NA_character_, -Inf, as.name("a")
  )
  for (value in values) {
    expect_identical(evaluated(get("value"), .args = list(value = value)),
                     value)
  }
  f <- evaluated(function(x) x + 1)
  expect_identical(f(1), 2)
})

test_that("what is invisible is a value like any other", {
  set_daemons(1)
  expect_identical(evaluated(invisible(3)), 3)
})

test_that("objects of ... are global, those of .args are local", {
  set_daemons(1)

  expect_identical(evaluated(ls(), .args = list(b = 1, a = 2)), c("a", "b"))
  expect_identical(evaluated(ls(), a = 1), character())
  expect_identical(evaluated(ls(globalenv()), a = 1), "a")
  expect_identical(evaluated(x + 0, x = 1, .args = list(x = 2)), 2)
  expect_identical(
    evaluated(c(x, f()), x = 1, f = function() x, .args = list(x = 2)), c(2, 1)
  )
  expect_true(evaluated(identical(parent.env(environment()), globalenv())))
})

test_that("functions of ... find each other, those of .args do not", {
  set_daemons(1)
  f <- function() g()
  g <- function() "found"
  environment(f) <- environment(g) <- globalenv()

  expect_identical(evaluated(f(), f = f, g = g), "found")
  expect_match(evaluated(f(), .args = list(f = f, g = g)),
               "could not find function \"g\"", fixed = TRUE)
})

test_that("an environment stands for its objects", {
  set_daemons(1)
  here <- new.env()
  here$a <- 1
  here$.hidden <- 2

  expect_identical(evaluated(a + 1, here), 2)
  expect_identical(evaluated(a + 1, .args = here), 2)
  expect_identical(evaluated(a + 1, .args = list(here)), 2)
  expect_identical(evaluated(a + .hidden, here), 3)
  expect_identical(evaluated(a + .hidden, .args = here), 3)
})

test_that("the environment of a function brings what it was called with", {
  set_daemons(1)
  f <- function(...) c(...length(), ...)
  by_args <- function(...) value_of(mirai(f(...), f = f, .args = environment()))
  alone <- function(f, ...) value_of(mirai(f(...), environment()))
  y <- 40
  expect_identical(alone(f, y + 1, a = 2), c(2, 41, a = 2))
  expect_identical(by_args(y + 1, a = 2), c(2, 41, a = 2))
  expect_identical(alone(f), 0L)

  second <- function(...) value_of(mirai(..2, environment()))
  expect_identical(second(stop("not asked for"), y), 40)
  columns <- function(x, ...) value_of(mirai(x[...], environment()))
  expect_identical(columns(matrix(1:4, 2), , 2), 3:4)
  words <- function(...) {
    here <- environment()
    value_of(mirai(as.character(substitute(list(...))[-1]), .args = here))
  }
  expect_identical(words(nobody, knows), c("nobody", "knows"))
  late <- function(x, later = y) value_of(mirai(later, environment()))
  expect_identical(late(), 40)
  absent <- function(x) value_of(mirai(x + 0, environment()))
  expect_match(absent(), "argument \"x\" is missing, with no default")
  # It is gone with its task.
  expect_false(evaluated(exists("...")))

  state <- evaluated(.Random.seed)
  set.seed(1)
  expect_identical(evaluated(exists(".Random.seed"), globalenv()), TRUE)
  expect_identical(evaluated(.Random.seed), state)
  everywhere(all_of <- sum(...), local((function(...) environment())(1, 2)))
  expect_identical(evaluated(all_of), 3)
})

test_that("active and locked bindings of an environment bring their values", {
  set_daemons(1)
  here <- new.env()
  here$locked <- 1
  lockBinding("locked", here)
  makeActiveBinding("active", function() 2, here)
  delayedAssign("late", locked + active, here, here)
  lockEnvironment(here)

  expect_identical(evaluated(c(locked, active, late), here), c(1, 2, 3))
  expect_identical(evaluated(c(locked, active, late), .args = here), c(1, 2, 3))
})

test_that("a mirai in an environment that is sent does no harm", {
  set_daemons(1)
  here <- new.env()
  here$a <- 1
  here$m <- mirai(Sys.sleep(600))
  at_end(stop_mirai(here$m))
  set_daemons(1, .compute = "other")

  expect_identical(evaluated(a, here, .compute = "other"), 1)
  expect_identical(evaluated(class(m), here, .compute = "other"),
                   c("mirai", "recvAio"))
  expect_true(is_error_value(evaluated(m$data, here, .compute = "other")))
  expect_true(unresolved(here$m))
})

test_that("a name stands for the language object it holds", {
  set_daemons(1)
  call <- quote(1 + 1)
  several <- expression(a <- 2, a + 2)
  name <- quote(letters)
  plain <- 5

  expect_identical(value_of(mirai(call)), 2)
  expect_identical(value_of(mirai(.expr = call)), 2)
  expect_identical(value_of(mirai(several)), 4)
  expect_identical(value_of(mirai(name)), letters)
  expect_identical(value_of(mirai(plain, plain = 6)), 6)
  expect_match(value_of(mirai(plain)), "object 'plain' not found", fixed = TRUE)
  expect_identical(value_of(mirai(call, call = 7)), 2)
})

test_that("what cannot be done is said in words", {
  set_daemons(1)

  expect_error(mirai(), "^missing expression, perhaps wrap in \\{\\}\\?$")
  expect_error(everywhere(), "^missing expression, perhaps wrap in \\{\\}\\?$")
  expect_error(mirai(1, 2), "all `...` arguments must be named", fixed = TRUE)
  expect_error(mirai(1, .args = list(2)), "all items in `.args` must be named", fixed = TRUE)
  expect_error(mirai(1, .args = 2),
               "'.args' must be a named list or an environment",
               fixed = TRUE)
  expect_error(mirai(1, .timeout = "soon"), "'.timeout' must be a number")
  expect_error(mirai(1, .time_request = "long"), "'.time_request' must be a number")
  expect_error(mirai(1, .time_request = -1),
               "'.time_request' must be a number of at least 0, not -1")
  expect_error(mirai(1, .timeout = -1),
               "'.timeout' must be a number of at least 0, not -1")
  expect_error(mirai(1, .compute = 1),
               "'.compute' must be a single string, not 1")
  expect_identical(evaluated("undisturbed"), "undisturbed")
})

test_that(".args may be a named vector", {
  set_daemons(1)
  expect_identical(evaluated(c(m, n), .args = c(m = 2L, n = 4L)), c(2L, 4L))
  expect_error(mirai(m, .args = c(m = 2L, 4L)), "all items in `.args` must be named",
               fixed = TRUE)
})

# Nested deeper than the C stack, which R finds out in the middle.
deep <- function() {
  x <- NULL
  for (i in 1:1e5) x <- list(x)
  x
}

# testthat does not take the errors of a full stack for errors.
message_of <- function(expr) tryCatch(expr, error = conditionMessage)

test_that("an object that cannot be serialized is an error for it alone", {
  set_daemons(1)
  before <- mirai("before")
  x <- deep()

  expect_match(message_of(mirai(1, x = x)), "C stack|nested too deeply")
  expect_match(message_of(mirai(1, .args = list(x = x))),
               "C stack|nested too deeply")
  expect_match(message_of(everywhere(1, x = x)), "C stack|nested too deeply")
  expect_identical(value_of(before), "before")
  expect_identical(evaluated("after"), "after")
})

test_that("a value that cannot be serialized is an error value", {
  set_daemons(1)
  value <- evaluated(f(), f = deep)

  expect_s3_class(value, "miraiError")
  expect_match(value, "C stack|nested too deeply")
  expect_identical(evaluated("after"), "after")
})

test_that("an external pointer arrives as one to nothing", {
  set_daemons(1)
  pointer <- unclass(getLoadedDLLs()[["base"]])$info

  expect_match(evaluated(capture.output(print(pointer)), pointer = pointer)[1],
               "(nil)", fixed = TRUE)
})

test_that("5 MB go and come back", {
  set_daemons(1)
  x <- as.numeric(1:655360)
  expect_identical(evaluated(x, x = x), x)
})

test_that("80 MB go and come back", {
  set_daemons(1)
  x <- as.numeric(1:1e7)
  expect_identical(evaluated(x, x = x), x)
})

test_that("each mirai has an id of its own, which stays", {
  set_daemons(1)
  set_daemons(1, .compute = "other")
  tasks <- list(mirai(1), mirai(1), mirai(1, .compute = "other"))
  ids <- lapply(tasks, attr, "id")
  expect_type(unlist(ids), "character")
  expect_length(unique(unlist(ids)), 3L)

  call_mirai(tasks)
  expect_identical(lapply(tasks, attr, "id"), ids)
  expect_identical(printed(tasks[[1]]), "< mirai | $data >")
  daemons(0)
  set_daemons(1)
  expect_false(attr(mirai(1), "id") %in% unlist(ids))
})

test_that("tasks run first in, first out", {
  set_daemons(1)
  folder <- set_folder()
  log <- file.path(folder, "log")
  tasks <- lapply(1:30, function(i) {
    mirai(cat(i, "\n", file = log, append = TRUE), i = i, log = log)
  })
  call_mirai(tasks)

  expect_identical(scan(log, 0L, quiet = TRUE), 1:30)
})

test_that("thousands of tasks resolve each to its own value", {
  set_daemons(2)
  tasks <- lapply(1:3000, function(i) mirai(i, .args = list(i = i)))
  call_mirai(tasks)

  expect_identical(vapply(tasks, function(m) m$data, 0L), 1:3000)
  expect_identical(sum(status()$daemons[, "complete"]), 3000L)
})

test_that("a mirai that nobody keeps is evaluated all the same", {
  set_daemons(1)
  file <- file.path(set_folder(), "made")
  mirai(file.create(file), file = file)
  gc()

  expect_identical(evaluated("next"), "next")
  expect_true(file.exists(file))
})

test_that("warnings do not end a task, and its output is not seen", {
  set_daemons(1)
  value <- evaluated({
    warning("never mind")
    message("not seen")
    print("neither")
    "done"
  })
  expect_identical(value, "done")
})

test_that("output = TRUE shows what tasks write", {
  lines <- run_session(c(
    "library(tenkai)",
    "invisible(daemons(1, output = TRUE))",
    "m <- mirai({ cat('to stdout\\n'); message('to stderr'); print(1) })",
    "invisible(call_mirai(m))",
    "m <- mirai(stop('shown as well'))",
    "invisible(call_mirai(m))"
  ))
  expect_true("to stdout" %in% lines)
  expect_true("to stderr" %in% lines)
  expect_true("[1] 1" %in% lines)
  expect_true(any(grepl("shown as well", lines, fixed = TRUE)))
})

test_that("promises get the value, or the reason", {
  skip_if_not_installed("promises")
  skip_if_not_installed("later")
  set_daemons(1)
  got <- list()
  keep <- function(name) function(value) got[[name]] <<- value
  promises::then(promises::as.promise(mirai(1 + 1)), keep("value"))
  promises::then(promises::as.promise(mirai(stop("oh"))), keep("none"),
                 keep("error"))
  promises::then(promises::as.promise(mirai(Sys.sleep(600), .timeout = 100)),
                 keep("none"), keep("late"))
  dies <- mirai(tools::pskill(Sys.getpid(), tools::SIGKILL))
  promises::then(promises::as.promise(dies), keep("none"), keep("death"))

  # Older versions have no method for it.
  if ("UseMethod" %in% all.names(body(promises::is.promising))) {
    expect_true(promises::is.promising(mirai(1)))
  }
  expect_true(wait_for(function() {
    later::run_now(0.05)
    length(got) >= 4L
  }))
  expect_identical(got$value, 2)
  expect_match(conditionMessage(got$error), "oh")
  expect_match(conditionMessage(got$late), "5 | Timed out", fixed = TRUE)
  expect_match(conditionMessage(got$death),
               "19 | Connection reset: daemon 1 was killed by signal 9",
               fixed = TRUE)
})

test_that("a mirai that a step of a chain of promises returns is waited for", {
  skip_if_not_installed("promises")
  skip_if_not_installed("later")
  code <- c(
    "invisible(daemons(1))",
    "got <- list()",
    "keep <- function(name) function(value) got[[name]] <<- value",
    "start <- promises::promise_resolve(1)",
    "p <- promises::then(start, function(v) mirai({ Sys.sleep(0.1); v + 1 }, v = v))",
    "p <- promises::then(p, function(v) mirai(v + 40, v = v))",
    "promises::then(p, keep('value'))",
    "p <- promises::then(start, function(v) mirai(stop('oh')))",
    "promises::then(p, keep('none'), keep('error'))",
    "p <- promises::promise(function(resolve, reject) resolve(mirai('resolved')))",
    "promises::then(p, keep('inner'))",
    "until <- Sys.time() + 60",
    "while (length(got) < 3 && Sys.time() < until) later::run_now(0.05)",
    "cat(got$value, conditionMessage(got$error), got$inner)"
  )
  loads <- c("library(tenkai)", "invisible(loadNamespace('promises'))")
  for (order in list(loads, rev(loads))) {
    expect_identical(run_session(c(order, code)), "42 oh resolved")
  }
})

test_that("a mirai tells what its evaluation has used", {
  daemons(1)
  on.exit(daemons(0))
  small <- call_mirai(mirai(1))
  large <- call_mirai(mirai({
    x <- rnorm(2e7)
    sum(x)
  }))
  after <- call_mirai(mirai({
    gc()
    1
  }))
  force(list(small$data, large$data, after$data))
  expect_named(large$usage, c("cpu", "memory", "seconds", "task"))
  expect_gt(large$usage[["memory"]], 2e7 * 8)
  expect_gt(large$usage[["cpu"]], 0.1)
  expect_lt(small$usage[["memory"]], large$usage[["memory"]])
  expect_lt(small$usage[["cpu"]], large$usage[["cpu"]])
  # The next one is not charged for what others have used before it.
  again <- call_mirai(mirai(1))
  expect_lt(again$usage[["memory"]], large$usage[["memory"]])
  expect_null(call_mirai(mirai(Sys.sleep(9), .timeout = 100))$usage)
  # To wait takes no processor time, and is time all the same.
  idle <- call_mirai(mirai(Sys.sleep(0.5)))
  expect_null(idle$data)
  expect_gte(idle$usage[["seconds"]], 0.5)
  expect_lt(idle$usage[["cpu"]], 0.5)
})
