other <- function() tenkai:::current$profile

test_that("without a scope the current profile is the default one", {
  set_daemons(1)

  m <- mirai(Sys.getpid())

  expect_identical(value_of(m), evaluated(Sys.getpid(), .compute = "default"))
  expect_identical(value_of(mirai(1, .compute = NULL)), 1)
})

test_that("with_daemons() makes a profile the current one, and no longer", {
  set_daemons(1)
  set_daemons(1, .compute = "side")
  default <- evaluated(Sys.getpid())
  side <- evaluated(Sys.getpid(), .compute = "side")

  within <- with_daemons("side", c(
    evaluated(Sys.getpid()), evaluated(Sys.getpid(), .compute = "default")
  ))

  expect_identical(within, c(side, default))
  expect_identical(evaluated(Sys.getpid()), default)
})

test_that("each function without .compute uses the current profile", {
  set_daemons(1, .compute = "side")
  with_daemons("side", {
    expect_identical(rownames(status()$daemons), nextget("urls"))
    everywhere(here <- "side")
    expect_identical(evaluated(here), "side")
    expect_length(nextstream(), 7L)
    expect_type(saisei(1, force = TRUE), "character")
    launch_local(1)
    expect_match(launch_remote(1), "tenkai::daemon", fixed = TRUE)
    expect_identical(unclass(daemons(0)), 0L)
  })
  expect_null(nextget("urls", .compute = "side"))
})

test_that("daemons() sets the current profile, or the one its file names", {
  set_daemons(1, .compute = "side")
  with_daemons("side", {
    daemons(0)
    expect_identical(class(set_daemons(1, .compute = NULL))[2L], "side")
  })
})

test_that("scopes nest, and an error ends each of them", {
  set_daemons(1, .compute = "a")
  set_daemons(1, .compute = "b")

  seen <- with_daemons("a", {
    inner <- tryCatch(
      with_daemons("b", with_daemons("a", stop(other()))),
      error = conditionMessage
    )
    c(inner, other(), with_daemons("b", other()), with_daemons(NULL, other()))
  })

  expect_identical(seen, c("a", "a", "b", "a"))
  expect_identical(other(), "default")
})

test_that("local_daemons() is for the rest of a function", {
  set_daemons(1, .compute = "a")
  set_daemons(1, .compute = "b")
  work <- function(fail) {
    on.exit(seen <<- c(seen, "own", other()))
    local_daemons("a")
    local_daemons("b")
    seen <<- other()
    if (fail) stop("in vain")
  }
  outer <- function() {
    local_daemons_of(environment())
    other()
  }
  local_daemons_of <- function(frame) local_daemons("b", frame)

  seen <- NULL
  work(FALSE)
  expect_identical(seen, c("b", "own", "default"))
  expect_error(work(TRUE), "in vain")
  expect_identical(other(), "default")
  expect_identical(outer(), "b")
  expect_identical(other(), "default")
  expect_identical(local({
    local_daemons("a")
    other()
  }), "a")
  expect_identical(other(), "default")
  expect_null(local_daemons("a"))
  expect_false(withVisible(local_daemons("a"))$visible)
})

test_that("local_daemons() at the top level is for the rest of the session", {
  script <- set_folder()
  file <- file.path(script, "sourced.R")
  writeLines(c("tenkai::local_daemons('a')",
               "kept <- tenkai:::current$profile"), file)

  said <- run_session(c(
    "library(tenkai)",
    "invisible(daemons(1, .compute = 'a'))",
    sprintf("source('%s')", file),
    "cat(kept, tenkai:::current$profile, '')",
    "local_daemons('default')",
    "cat(tenkai:::current$profile, '')",
    "with_daemons('a', local_daemons('default'))",
    "cat(tenkai:::current$profile, '\\n')",
    "invisible(daemons(0, .compute = 'a'))"
  ))

  expect_identical(trimws(said), "a a default default")
})

test_that("a scope for a profile that is not set, or is none, is refused", {
  expect_error(with_daemons("nowhere", 1), "daemons(n, .compute = \"nowhere\")",
               fixed = TRUE)
  expect_error(local_daemons("nowhere"), "no daemons are set")
  expect_error(with_daemons(1, 1), "'.compute' must be a single string, not 1",
               fixed = TRUE)
  expect_error(local_daemons("default", frame = 1), "'frame' must be the frame")
  expect_error(local_daemons("default", frame = new.env()), "'frame' must be")
  expect_identical(other(), "default")
})

test_that("with(daemons()) makes its profile the current one, and ends it", {
  seen <- with(daemons(1, .compute = "side"), {
    c(other(), class(daemons(1))[2L])
  })
  expect_identical(seen, c("side", "side"))
  expect_identical(other(), "default")
  expect_null(nextget("urls", .compute = "side"))

  expect_error(with(daemons(1, .compute = "side"), stop("in vain")), "in vain")
  expect_identical(other(), "default")
  expect_null(nextget("urls", .compute = "side"))
})
