# The evaluator for package plumber2, by what plumber2 says of evaluators: they
# take an expression and an environment, and what they return is a promise.
# tests/carry has tests with the package itself.

test_that("an expression is evaluated in a daemon, with what it needs", {
  set_daemons(1)
  evaluate <- tenkai_async()
  expect_named(formals(evaluate), c("expr", "envir"))
  needs <- list2env(list(handler = function(x, ...) c(x * 2, Sys.getpid()),
                         keys = list(x = 21)))
  m <- evaluate(quote({
    done <- FALSE
    on.exit(if (!done) stop("not done"))
    value <- do.call(handler, keys)
    done <- TRUE
    value
  }), envir = needs)
  expect_true(is_mirai(m))
  expect_identical(value_of(m), c(42, value_of(mirai(Sys.getpid()))))
})

test_that("arguments of mirai() go with it, and so does the profile", {
  set_daemons(1)
  set_daemons(1, .compute = "side")
  pid <- value_of(mirai(Sys.getpid(), .compute = "side"))
  evaluate <- tenkai_async(profile = "side")
  expect_identical(value_of(evaluate(quote(Sys.getpid()), new.env())), pid)
  m <- tenkai_async(.timeout = 100)(quote(Sys.sleep(600)), new.env())
  expect_true(is_error_code(value_of(m), 5L))
  expect_error(tenkai_async(profile = 1), "'profile' must be a single string")
})

test_that("plumber2 knows it by name, whichever is loaded first", {
  library <- set_folder()
  package <- file.path(library, "src", "plumber2")
  dir.create(file.path(package, "R"), recursive = TRUE)
  writeLines(c("Package: plumber2", "Version: 0.2.0", "Title: T",
               "License: MIT"),
             file.path(package, "DESCRIPTION"))
  writeLines("export(register_async)", file.path(package, "NAMESPACE"))
  writeLines(c("register_async <- function(name, fun, dependency = NULL)",
               "  cat(name, is.function(fun(profile = 'a')), dependency, '\\n')"),
             file.path(package, "R", "register.R"))
  output_of(file.path(R.home("bin"), "R"),
            c("CMD", "INSTALL", "-l", shQuote(library), shQuote(package)))
  here <- sprintf("loadNamespace('plumber2', lib.loc = '%s')", library)
  for (code in list(c("library(tenkai)", here), c(here, "library(tenkai)"))) {
    expect_match(run_session(code), "^tenkai TRUE promises tenkai $",
                 all = FALSE)
  }
})
