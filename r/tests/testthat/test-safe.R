# Results whose bytes would end R, and those that are more than data. Those that
# only a daemon gone wrong can send are in tests/flows/deadly_payloads.sh.

nested <- function(levels) {
  x <- NULL
  for (i in seq_len(levels)) x <- list(x)
  x
}

# The message of a result that was refused.
refusal <- function(value) {
  expect_true(is_error_code(value, 13L))
  expect_false(is_mirai_error(value))
  reason_of(value)
}

# Values of so many levels. What reads them needs as many calls as are named.
calls <- c(nested = 1, enclosed = 1, environments = 3, closures = 3, chained = 1)
enclosed <- function(levels) {
  x <- emptyenv()
  for (i in seq_len(levels)) x <- new.env(parent = x)
  x
}
environments <- function(levels) {
  x <- NULL
  for (i in seq_len(levels)) x <- list2env(list(x = x), hash = TRUE)
  x
}
closures <- function(levels) {
  f <- NULL
  for (i in seq_len(levels)) {
    f <- local({
      inner <- f
      function() inner
    })
  }
  f
}
chained <- function(levels) as.pairlist(as.list(seq_len(levels)))

# How many lists in each other R can serialize here, nearly.
levels_of_r <- function() {
  if (is.na(Cstack_info()[["size"]])) return(15000)
  can <- function(levels) {
    tryCatch(is.raw(serialize(nested(levels), NULL)), error = function(e) FALSE)
  }
  levels <- 1000
  while (levels < 20000 && can(1.05 * levels)) levels <- 1.05 * levels
  levels
}

test_that("values nest as deep as R can serialize, there and back", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  # Looking at a mirai from within a test takes some of the stack, too.
  levels <- 0.75 * levels_of_r()
  for (kind in names(calls)) {
    make <- get(kind)
    x <- make(levels %/% calls[[kind]])
    value <- evaluated(x, x = x)
    expect_false(is_error_value(value), label = kind)
    expect_identical(typeof(value), typeof(x))
  }
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a result that nests too deep is an error value, not the end of R", {
  set_daemons(1)
  # R writes a call within a call with half of the stack that it needs to read it.
  value <- evaluated({
    x <- quote(a)
    for (i in seq_len(levels)) x <- call("f", x)
    x
  }, levels = 0.9 * levels_of_r())

  expect_match(refusal(value),
               "^invalid result: it nests deeper than the C stack of R allows")
  expect_identical(printed(value)[1], "'errorValue' int 13 | Protocol error")
  expect_match(printed(value)[2], "invalid result: ", fixed = TRUE)
})

test_that("a deep result that is asked for deep in a recursion is not lost", {
  skip_if(is.na(Cstack_info()[["size"]]), "R does not know its stack here")
  set_daemons(1)
  m <- mirai(nested(levels), nested = nested, levels = 0.7 * levels_of_r())
  before <- options(expressions = 100000)
  at_end(options(before))
  half <- Cstack_info()[["size"]] / 2
  deep <- function() if (Cstack_info()[["current"]] > half) m$data else deep()
  value <- NULL
  expect_true(wait_for(function() {
    value <<- deep()
    !inherits(value, "unresolvedValue")
  }))

  expect_true(is_error_code(value, 13L))
  expect_match(reason_of(value), "too little room left here to read the result")
  expect_false(unresolved(m))
  expect_type(m$data, "list")
})

test_that("a result of any depth is a value, or an error value, in any call", {
  set_daemons(1)
  # Past what R can serialize it is an error of the task.
  for (levels in seq(0.8, 1.2, by = 0.02) * levels_of_r()) {
    m <- mirai(nested(levels), nested = nested, levels = levels)
    value <- tryCatch(value_of(m), error = identity)
    expect_true(is_error_value(value) || is.list(value) && length(value) == 1L,
                info = paste(levels, printed(value)[1]))
  }
})

test_that("a result that cannot even be serialized is an error of its task", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  value <- evaluated(nested(1e5), nested = nested)

  expect_s3_class(value, "miraiError")
  expect_match(value, "C stack usage")
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("an argument that nests too deep is an error, on either side", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  too_deep_to_send <- nested(1e5)
  # R writes a pairlist without recursion.
  too_deep_to_read <- chained(1e5)

  error <- tryCatch(mirai(length(x), x = too_deep_to_send), error = identity)
  expect_match(conditionMessage(error), "C stack usage")
  value <- value_of(mirai(length(x), x = too_deep_to_read))
  expect_s3_class(value, "miraiError")
  expect_match(value, "it nests deeper than the C stack of R allows")
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a long call in an error costs the call, not the message", {
  set_daemons(1)
  value <- evaluated(do.call("f", as.list(1:30000)),
                     f = function(...) stop("too many"))

  expect_s3_class(value, "miraiError")
  expect_match(value, "too many")
  expect_s3_class(value$condition, "simpleError")
  expect_null(conditionCall(value$condition))
})

test_that("values of every kind come back as they are", {
  set_daemons(1)
  values <- list(
    NULL, 1:10, sort(c(3, 1, 2)), sort(c(3L, 1L)), as.character(1:100),
    c(a = TRUE, b = NA), c("\u5c55\u958b", NA), 1i, as.raw(1:3), iris,
    factor(letters), as.pairlist(list(a = 1, 2)), Sys.time(),
    eval(quote(y ~ x + z), globalenv()), quote(f(x, y = 1)), expression(a, b),
    array(1:8, c(2, 2, 2)),
    matrix(1:4, 2, dimnames = list(c("a", "b"), NULL)), emptyenv(), sum,
    table(mtcars$cyl, mtcars$gear), as.name("a"), globalenv()
  )
  for (each in values) expect_identical(evaluated(each, each = each), each)

  expect_identical(evaluated(asNamespace("stats")), asNamespace("stats"))
  expect_identical(evaluated(function(x) x + 1)(1), 2)
  expect_s3_class(evaluated(lm(mpg ~ wt, mtcars)), "lm")
  compiled <- evaluated(compiler::cmpfun(function(x) {
    for (i in 1:3) x[i] <- switch(i, 1, 2, 3)
    x
  }))
  expect_identical(compiled(numeric(3)), c(1, 2, 3))
  env <- evaluated({
    env <- new.env()
    env$self <- env
    delayedAssign("later", 6 * 7, assign.env = env)
    env
  })
  expect_identical(env$self, env)
  expect_identical(env$later, 42)
})

test_that("safe = TRUE lets data in", {
  set_daemons(1, safe = TRUE)
  values <- list(
    NULL, 1:10, sort(c(3, 1, 2)), as.character(1:100), c(a = TRUE, b = NA),
    c("\u5c55\u958b", NA), 1i, as.raw(1:3), iris, mtcars, factor(letters),
    Sys.time(), as.POSIXlt(Sys.time()), array(1:8, c(2, 2, 2)),
    table(mtcars$cyl, mtcars$gear), list(1, list("a", NULL)),
    packageVersion("base"), runif(2e5)
  )
  for (each in values) expect_identical(evaluated(each, each = each), each)
})

test_that("safe = TRUE refuses what is more, and says what it is", {
  set_daemons(1, safe = TRUE)
  kinds <- list(
    "a function" = quote(function(x) x), "a function" = quote(sum),
    "a function" = quote(list(1, iris, list(stats::sd))),
    "code" = quote(y ~ x), "code" = quote(quote(f(x))),
    "code" = quote(as.name("x")), "code" = quote(expression(a)),
    "code" = quote(lm(mpg ~ wt, mtcars)),
    "an environment" = quote(new.env()), "an environment" = quote(emptyenv()),
    "an environment" = quote(globalenv()),
    "an environment" = quote(structure(1, where = baseenv())),
    "a namespace" = quote(asNamespace("stats")),
    "a namespace" = quote(baseenv <- .BaseNamespaceEnv),
    "an external pointer" = quote(methods::new("externalptr")),
    "an S4 object" = quote({
      methods::setClass("Point", representation(x = "numeric"))
      methods::new("Point", x = 1)
    }),
    # Whoever looks at one of these makes R load the package it names.
    "an S4 object" = quote({
      methods::setClass("Length", contains = "numeric")
      methods::new("Length", 1)
    }),
    "an S4 object" = quote(asS4(structure(1:3, class = "a"))),
    "an S4 object" = quote(list(a = asS4(sort(c(3, 1, 2))))),
    "the class of an S4 object" = quote(
      structure(1, class = structure("a", package = "splines"))
    ),
    "the class of an S4 object" = quote(
      structure(list(), class = structure(sort(rep("a", 100)), package = "a"))
    )
  )
  for (i in seq_along(kinds)) {
    expr <- kinds[[i]]
    message <- refusal(value_of(mirai(expr)))
    expect_match(message, paste("invalid result: it holds", names(kinds)[i]),
                 fixed = TRUE)
    expect_match(message, "safe = TRUE lets in nothing but data", fixed = TRUE)
  }
})

test_that("safe = TRUE keeps the words of an error, and of its condition", {
  set_daemons(1, safe = TRUE)
  f <- function(x) stop("positive")
  value <- evaluated(f(1), f = f)
  classed <- evaluated(stop(structure(
    list(message = "of my own", call = quote(f(x)), extra = 42,
         where = globalenv()),
    class = c("myError", "error", "condition")
  )))

  expect_identical(printed(value), "'miraiError' chr Error in f(1): positive")
  expect_identical(value$stack.trace[[2]], "f(1)")
  expect_identical(conditionMessage(value$condition), "positive")
  expect_s3_class(classed$condition, "myError")
  expect_identical(classed$condition$extra, 42)
  expect_null(classed$condition$where)
  expect_identical(classed$extra, 42)
  expect_null(classed$where)
  expect_identical(conditionMessage(classed), "of my own")
  expect_identical(classed$condition.class[1], "myError")
})

test_that("safe = TRUE holds without a dispatcher's queue, and for a profile", {
  set_daemons(1, dispatcher = FALSE, safe = TRUE)
  set_daemons(1, .compute = "trusting")

  expect_match(refusal(evaluated(sum)), "a function")
  expect_identical(value_of(mirai(sum, .compute = "trusting")), sum)
})

test_that("safe must be TRUE or FALSE", {
  expect_error(daemons(1, safe = NA), "'safe' must be TRUE or FALSE, not NA")
  expect_error(daemons(1, safe = "yes"), "'safe' must be TRUE or FALSE")
})
