# Hooks for objects that R cannot serialize.

test_that("a pointer travels with hooks, at any depth, and not without them", {
  pointers <- use_pointers()
  set_daemons(1)
  x <- pointers$pointer(1)
  expect_match(evaluated(pointers::number(x), x = x), "pointer to null")

  set_pointer_hooks()
  env <- new.env()
  env$deep <- list(function(at = x) at)
  environment(env$deep[[1]]) <- list2env(list(x = x))
  nested <- list(
    a = list(x), b = structure(1, at = structure(2, at = x)), c = env,
    d = as.pairlist(list(x)), e = as.call(list(quote(f), x)), x = x
  )
  all <- function(n) {
    lapply(list(n$a[[1]], attr(attr(n$b, "at"), "at"), n$c$deep[[1]](),
                n$d[[1]], n$e[[2]], n$x), pointers::number)
  }
  expect_identical(evaluated(all(n), n = nested, all = all), rep(list(1), 6))
  expect_identical(evaluated(all(n), .args = list(n = nested, all = all)),
                   rep(list(1), 6))
  expect_identical(all(evaluated(n, n = nested)), rep(list(1), 6))
  back <- evaluated(list(pointers::pointer(7)))
  expect_identical(pointers$number(back[[1]]), 7)
})

test_that("hooks reach new R processes, and daemons without a queue", {
  pointers <- set_pointer_hooks()
  x <- pointers$pointer(3)
  value <- evaluated(list(pointers::number(x), x), x = x)
  expect_identical(value[[1]], 3)
  expect_identical(pointers$number(value[[2]]), 3)

  set_daemons(1, dispatcher = FALSE)
  value <- evaluated(list(pointers::number(x), x), x = x)
  expect_identical(value[[1]], 3)
  expect_identical(pointers$number(value[[2]]), 3)
})

test_that("hooks apply in everywhere(), and reach daemons that join later", {
  pointers <- set_pointer_hooks()
  set_daemons(1, url = "tcp://127.0.0.1:0")
  everywhere(kept <- given, given = pointers$pointer(4))
  launch_local(1)

  expect_identical(pointers$number(evaluated(kept)), 4)
})

test_that("one object in several places is one object again", {
  set_daemons(1)
  calls <- 0
  set_hooks(list(function(box) {
    calls <<- calls + 1
    serialize(box$x, NULL)
  }, function(raw) {
    structure(list2env(list(x = unserialize(raw))), class = "box")
  }), class = "box")
  a <- box("a")
  b <- box("b")
  same <- function(x) {
    identical(x[[1]], x[[3]]) && identical(x[[1]], attr(x[[4]], "a")) &&
      !identical(x[[1]], x[[2]]) && identical(x[[2]]$x, "b")
  }
  x <- list(a, b, a, structure(1, a = a))

  expect_true(evaluated(same(x), x = x, same = same))
  expect_identical(calls, 2)
  expect_true(same(evaluated(x, x = x)))
})

test_that("with vec = TRUE a hook is called once for all", {
  pointers <- use_pointers()
  set_daemons(1)
  calls <- list()
  set_hooks(list(function(objects) {
    calls <<- c(calls, list(length(objects)))
    pointers$all_to_raw(objects)
  }, pointers$all_from_raw), class = "pointer", vec = TRUE)
  x <- lapply(1:10, pointers$pointer)
  back <- evaluated(list(x[[2]], x, pointers::number(x[[10]])), x = x)

  expect_identical(calls, list(10L))
  expect_identical(back[[3]], 10)
  expect_identical(vapply(back[[2]], pointers$number, 0), as.double(1:10))
  expect_identical(back[[1]], back[[2]][[2]])

  set_hooks(list(pointers$all_to_raw, function(raw) list()),
            class = "pointer", vec = TRUE)
  fails_with(evaluated(x, x = x),
             "unserialization hook of class 'pointer' returned .*list of 10")
})

test_that("of several classes the first of an object counts", {
  set_daemons(1, serial = serial_config(
    c("box", "small"),
    list(function(x) serialize("box", NULL),
         function(x) serialize("small", NULL)),
    list(unserialize, unserialize)
  ))
  x <- list(box(1), structure(new.env(), class = c("small", "box")),
            structure(new.env(), class = c("large", "box")))

  expect_identical(evaluated(x, x = x), list("box", "small", "box"))
})

test_that("serialization() says what it does, and returns what is registered", {
  at_end(suppressMessages(serialization(NULL)))
  out <- function(x) serialize(x$x, NULL)
  expect_message(serialization(list(out, unserialize), class = "box"),
                 "^mirai serialization functions registered\n$")
  expect_identical(serialization(), pairlist(out, unserialize))
  expect_invisible(serialization())
  expect_message(serialization(NULL),
                 "^mirai serialization functions cancelled\n$")
  expect_identical(serialization(), pairlist(NULL, NULL))
  # Without a class nothing is replaced.
  suppressMessages(serialization(list(out, unserialize)))
  expect_identical(serialization(), pairlist(out, unserialize))
  expect_s3_class(evaluated(x, x = box(1)), "box")

  said <- run_session("tenkai::serialization(list(identity, identity))")
  expect_identical(said, "mirai serialization functions registered")
})

test_that("serialization() is for all profiles, those set and those to come", {
  set_daemons(1)
  config <- box_config()
  set_hooks(list(config$sfunc[[1]], config$ufunc[[1]]), class = "box")
  set_daemons(1, .compute = "later")

  expect_true(evaluated(x$made, x = box(1)))
  expect_true(evaluated(x$made, x = box(1), .compute = "later"))
  suppressMessages(serialization(NULL))
  expect_null(evaluated(x$made, x = box(1)))
  expect_null(evaluated(x$made, x = box(1), .compute = "later"))
  expect_null(evaluated(x$made, x = box(1), .compute = "unset"))
})

test_that("serial is for one profile, and comes before serialization()", {
  set_daemons(1, serial = box_config())
  set_daemons(1, .compute = "other")
  expect_true(evaluated(x$made, x = box(1)))
  expect_null(evaluated(x$made, x = box(1), .compute = "other"))

  set_hooks(list(function(box) raw(1), function(raw) "general"), class = "box")
  expect_true(evaluated(x$made, x = box(1)))
  expect_identical(evaluated(x, x = box(1), .compute = "other"), "general")
})

test_that("what packages register is for daemons that are set afterwards", {
  registered <- asNamespace("tenkai")$registered
  at_end(registered$packages <- NULL)
  set_daemons(1, .compute = "before")
  config <- box_config()
  register_serial("box", config$sfunc, config$ufunc)
  register_serial(c("bag", "sack"), list(identity, identity),
                  list(identity, identity))
  set_daemons(1)
  set_daemons(1, .compute = "own", serial = box_config("bag"))

  expect_null(evaluated(x$made, x = box(1), .compute = "before"))
  expect_true(evaluated(x$made, x = box(1)))
  expect_null(evaluated(x$made, x = box(1), .compute = "own"))
  expect_true(evaluated(x$made, x = box(1), .compute = "unset"))
  set_hooks(list(function(box) raw(1), function(raw) "mine"), class = "box")
  expect_identical(evaluated(x, x = box(1)), "mine")
})

test_that("tasks keep the hooks with which they were submitted", {
  set_daemons(1)
  folder <- set_folder()
  gate <- file.path(folder, "gate")
  tagged <- function(tag) {
    list(eval(bquote(function(box) serialize(.(tag), NULL))), unserialize)
  }
  set_hooks(tagged("first"), class = "box")
  waits <- mirai({
    while (!file.exists(gate)) Sys.sleep(0.01)
    list(x, structure(new.env(), class = "box"))
  }, x = box(1), gate = gate)
  queued <- mirai(list(x, structure(new.env(), class = "box")), x = box(1))
  set_hooks(tagged("second"), class = "box")
  later <- mirai(list(x, structure(new.env(), class = "box")), x = box(1))
  suppressMessages(serialization(NULL))
  file.create(gate)

  expect_identical(value_of(waits), list("first", "first"))
  expect_identical(value_of(queued), list("first", "first"))
  expect_identical(value_of(later), list("second", "second"))
})

test_that("the session makes objects by its own hooks, and takes no code", {
  read <- asNamespace("tenkai")$read_in_result
  evil <- serialize(list(sfunc = identity, ufunc = identity, vec = FALSE), NULL)
  section <- list("unknown", list(evil), "box", 1L, list(list(raw(1))), NULL)
  expect_identical(read(section), paste(
    "the unserialization hook of class 'box' is not registered in this process"
  ))
  for (bad in list(list(), section[-6], replace(section, 4, list(2L)),
                   replace(section, 1, list(NA_integer_)), list(1, 2, 3))) {
    expect_identical(read(bad), "what came for hooks is nothing they take")
  }
})

test_that("the environment of a function is an environment again", {
  config <- box_config()
  set_hooks(list(config$sfunc[[1]], config$ufunc[[1]]), class = "box")
  set_daemons(1)
  own <- box(5)
  f <- function() x
  environment(f) <- own
  within <- structure(function() x, srcref = NULL)
  environment(within) <- new.env(parent = own)

  expect_identical(evaluated(c(f(), g()), f = f, g = within), c(5, 5))
  expect_identical(evaluated(list(f, g), f = f, g = within)[[2]](), 5)
  set_hooks(list(config$sfunc[[1]], unserialize), class = "box")
  value <- evaluated(f(), f = f)
  expect_s3_class(value, "miraiError")
  expect_match(value, "a hook has made no environment of what was that of")
  # In any other place it may be anything.
  expect_identical(evaluated(x, x = own), 5)
})

test_that("environments and R6 objects are left alone", {
  set_daemons(1)
  set_hooks(list(function(x) stop("called"), function(x) stop("called")),
            class = "none")
  env <- list2env(list(a = 1))
  expect_identical(evaluated(x, x = env)$a, 1)
  expect_identical(evaluated(x, x = globalenv()), globalenv())
  expect_identical(evaluated(x, x = asNamespace("stats")), asNamespace("stats"))
  expect_s3_class(evaluated(x, x = box(1)), "box")

  skip_if_not_installed("R6")
  Counter <- getExportedValue("R6", "R6Class")("Counter", public = list(
    n = 0, add = function() {
      self$n <- self$n + 1
      invisible(self)
    }
  ))
  counter <- Counter$new()$add()
  value <- evaluated(x$add(), x = counter)
  expect_s3_class(value, "Counter")
  expect_identical(value$add()$n, 3)
})

test_that("R6 objects go through hooks where their class is registered", {
  skip_if_not_installed("R6")
  Counter <- getExportedValue("R6", "R6Class")("Counter", public = list(n = 0))
  set_daemons(1, serial = serial_config(
    "Counter", function(x) serialize(x$n, NULL), unserialize
  ))
  counter <- Counter$new()
  counter$n <- 8

  expect_identical(evaluated(x, x = list(counter)), list(8))
})

test_that("many objects, and large ones, travel", {
  pointers <- set_pointer_hooks()
  set_daemons(1)
  x <- lapply(seq_len(1e5), pointers$pointer)
  back <- evaluated({
    stopifnot(identical(vapply(x, pointers::number, 0), as.double(1:1e5)))
    rev(x)
  }, x = x)
  expect_identical(vapply(back, pointers$number, 0), as.double(1e5:1))

  config <- box_config()
  set_hooks(list(config$sfunc[[1]], config$ufunc[[1]]), class = "box")
  large <- box(runif(3e6))
  expect_identical(evaluated(x, x = list(large, 1))[[1]]$x, large$x)
})

test_that("hooks go through an agent, and outlive its daemon", {
  pointers <- set_pointer_hooks()
  set_daemons(1, url = "tcp://127.0.0.1:0")
  launch_local(1, maxtasks = 1)
  x <- pointers$pointer(9)
  expect_identical(pointers$number(evaluated(x, x = x)), 9)
  launch_local(1)
  expect_identical(pointers$number(evaluated(x, x = x)), 9)
})

test_that("hooks are used where tasks are evaluated here", {
  pointers <- set_pointer_hooks()
  set_daemons(sync = TRUE)
  x <- pointers$pointer(3)
  m <- mirai(list(pointers::number(x), x), x = x)
  expect_identical(m$data[[1L]], 3)
  expect_identical(pointers$number(m$data[[2L]]), 3)
  expect_identical(
    pointers$number(mirai_map(list(x), function(each) each)[][[1L]]), 3
  )
  suppressMessages(serialization(NULL))
  expect_error(pointers$number(mirai(x, x = x)$data))
  daemons(0)
  set_daemons(sync = TRUE, serial = serial_config(
    "pointer", pointers$to_raw, pointers$from_raw
  ))
  expect_identical(pointers$number(mirai(x, x = x)$data), 3)
})

test_that("arrays of nanoarrow travel", {
  skip_if_not_installed("nanoarrow")
  set_daemons(1, serial = serial_config(
    "nanoarrow_array",
    function(x) {
      arrow <- asNamespace("nanoarrow")
      connection <- rawConnection(raw(), "wb")
      on.exit(close(connection))
      schema <- arrow$infer_nanoarrow_schema(x)
      stream <- arrow$basic_array_stream(list(x), schema = schema)
      arrow$write_nanoarrow(stream, connection)
      rawConnectionValue(connection)
    },
    function(raw) asNamespace("nanoarrow")$read_nanoarrow(raw)$get_next()
  ))
  table <- asNamespace("nanoarrow")$as_nanoarrow_array(mtcars)
  back <- evaluated(list(rows = nrow(as.data.frame(x)), deep = list(x)),
                    x = table)

  expect_identical(back$rows, 32L)
  expect_identical(as.data.frame(back$deep[[1]])$mpg, mtcars$mpg)
})

test_that("arguments that are no hooks are errors that say so", {
  expect_error(serialization(1),
               "^'refhook' must be a list of 2 functions or NULL$")
  expect_error(serialization(list(identity)),
               "'refhook' must be a list of 2 functions or NULL")
  expect_error(serialization(list(identity, identity), class = c("a", "b")),
               "'class' must be a single string")
  expect_error(serialization(list(identity, identity), "a", vec = NA),
               "'vec' must be TRUE or FALSE")
  expect_error(serial_config("", identity, identity), "'class' must be")
  expect_error(serial_config(c("a", "a"), identity, identity),
               "'class' must be")
  expect_error(serial_config("a", 1, identity), "'sfunc' must be a function")
  expect_error(serial_config(c("a", "b"), identity, identity),
               "'sfunc' must be a function, or a list of one for each class")
  expect_error(serial_config("a", identity, list()), "'ufunc' must be")
  expect_error(register_serial("a", identity, NULL), "'ufunc' must be")
  config <- serial_config("a", identity, identity)
  for (wrong in list(list(1), within(config, class <- 3),
                     within(config, sfunc <- list(1)),
                     within(config, ufunc <- list()),
                     within(config, vec <- "no"))) {
    expect_error(daemons(1, serial = wrong),
                 "'serial' must be a configuration made by serial_config()")
  }
})
