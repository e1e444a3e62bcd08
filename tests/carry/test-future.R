# plan(tenkai::future_backend), with packages of CRAN that are built on futures.
source("../../r/tests/testthat/helper-daemons.R", local = TRUE)
library(future)

# plan() for the rest of a test.
set_plan <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(future::plan(future::sequential)), TRUE, FALSE),
          envir = frame)
  suppressWarnings(plan(...))
}

set_two <- function(frame = parent.frame()) {
  set_plan(tenkai::future_backend, workers = 2, frame = frame)
}

# The error that value() is; with a limit, as resolved() has it.
error_of <- function(f, seconds = 120) {
  on.exit(setTimeLimit())
  setTimeLimit(elapsed = seconds)
  tryCatch({
    value(f)
    NULL
  }, error = identity)
}

lines_in <- function(file) {
  if (file.exists(file)) readLines(file, warn = FALSE) else character()
}

await <- function(f) expect_true(wait_for(function() future::resolved(f)))

test_that("a plan starts daemons, and another plan ends them", {
  set_two()
  expect_identical(nbrOfWorkers(), 2L)
  f <- future(Sys.getpid())
  expect_s3_class(f, "TenkaiFuture")
  pid <- value(f)
  expect_false(pid == Sys.getpid())
  expect_true(is_running(pid))
  expect_identical(tenkai::info("future-2")[["connections"]], 2L)
  plan(sequential)
  expect_false(tenkai::daemons_set("future-2"))
  expect_true(wait_for(function() !is_running(pid)))
})

test_that("daemons that were set before are used, and stay", {
  tenkai::daemons(1)
  at_end(tenkai::daemons(0))
  ours <- tenkai::mirai(Sys.getpid())[]
  set_plan(tenkai::future_backend)
  expect_identical(nbrOfWorkers(), 1L)
  expect_identical(value(future(Sys.getpid())), ours)
  plan(sequential)
  expect_true(tenkai::daemons_set())
  expect_identical(tenkai::mirai(Sys.getpid())[], ours)
})

test_that("without daemons a plan starts as many as there are processors", {
  set_plan(tenkai::future_backend)
  expect_equal(nbrOfWorkers(), as.integer(availableCores()))
})

test_that("a profile from a file is set by the plan, one that is set is used", {
  folder <- set_folder()
  file <- file.path(folder, "profiles.yaml")
  writeLines(c("profiles:", "  gpu:", "    launcher: local", "    daemons: 1"),
             file)
  before <- Sys.getenv("TENKAI_CONFIG", NA)
  Sys.setenv(TENKAI_CONFIG = file)
  at_end(if (is.na(before)) Sys.unsetenv("TENKAI_CONFIG") else
    Sys.setenv(TENKAI_CONFIG = before))
  set_plan(tenkai::future_backend, profile = "gpu")
  pid <- value(future(Sys.getpid()))
  expect_true(tenkai::daemons_set("gpu"))
  expect_identical(tenkai::mirai(Sys.getpid(), .compute = "gpu")[], pid)
  plan(sequential)
  expect_false(tenkai::daemons_set("gpu"))

  tenkai::daemons(1, .compute = "side")
  at_end(tenkai::daemons(0, .compute = "side"))
  set_plan(tenkai::future_backend, profile = "side")
  expect_identical(value(future(7)), 7)
  plan(sequential)
  expect_true(tenkai::daemons_set("side"))
})

test_that("arguments that are wrong are errors that name them", {
  at_end(plan(sequential))
  for (workers in list(0, NA_integer_, "two", TRUE, 1:2)) {
    e <- tryCatch(plan(tenkai::future_backend, workers = workers),
                  error = identity)
    expect_match(conditionMessage(e), "'workers' must be a number of daemons")
  }
  expect_error(plan(tenkai::future_backend, profile = 1), "'profile' must be")
  expect_error(tenkai::future_backend(), "is for plan")
})

test_that("globals and packages go with a future", {
  set_two()
  offset <- 10
  add <- function(x) x + offset
  f <- future(add(1))
  offset <- 20
  expect_identical(value(f), 11)
  f <- future("package:stats4" %in% search(), packages = "stats4")
  expect_true(value(f))
  expect_error(value(future(nowhere_to_be_found)), "nowhere_to_be_found")
})

test_that("a future leaves no object behind for the next one", {
  set_two()
  for (i in 1:4) {
    expect_false(value(future({
      there <- exists("left_behind", envir = globalenv())
      left_behind <<- 1
      there
    })))
  }
})

test_that("output, messages and warnings are relayed with the value", {
  set_two()
  f <- future({
    cat("printed\n")
    message("told")
    warning("warned")
    "value"
  })
  heard <- character()
  out <- capture.output(withCallingHandlers(
    expect_identical(value(f), "value"),
    message = function(m) {
      heard <<- c(heard, conditionMessage(m))
      invokeRestart("muffleMessage")
    },
    warning = function(w) {
      heard <<- c(heard, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
  ))
  expect_identical(out, "printed")
  expect_identical(heard, c("told\n", "warned"))
})

test_that("an error is the one that was raised, with its class", {
  set_two()
  f <- future(stop(structure(class = c("mine", "error", "condition"),
                             list(message = "no luck", call = NULL))))
  e <- error_of(f)
  expect_s3_class(e, "mine")
  expect_identical(conditionMessage(e), "no luck")
})

test_that("immediate conditions come while the future runs, and once", {
  set_two()
  go <- tempfile()
  at_end(unlink(go))
  f <- future({
    signalCondition(structure(class = c("immediateCondition", "condition"),
                              list(message = "begun", call = NULL)))
    message(structure(class = c("immediateCondition", "message", "condition"),
                      list(message = "halfway\n", call = NULL)))
    while (!file.exists(go)) Sys.sleep(0.01)
    "done"
  })
  heard <- character()
  note <- function(condition) {
    heard <<- c(heard, conditionMessage(condition))
    if (inherits(condition, "message")) invokeRestart("muffleMessage")
  }
  withCallingHandlers({
    expect_true(wait_for(function() {
      future::resolved(f)
      length(heard) == 2L
    }))
    file.create(go)
    expect_identical(value(f), "done")
    expect_identical(value(f), "done")
  }, immediateCondition = note)
  expect_identical(heard, c("begun", "halfway\n"))
})

test_that("what future does not capture is relayed as a task's", {
  set_two()
  f <- future({
    cat("as it comes\n")
    1
  }, stdout = NA)
  out <- capture.output(expect_identical(value(f), 1))
  expect_match(out, "^\\[task [0-9]+\\] as it comes$")
})

test_that("random numbers are those of multisession", {
  draw <- function(...) {
    suppressWarnings(plan(...))
    set.seed(42)
    fs <- lapply(1:3, function(i) future(rnorm(2), seed = TRUE))
    list(value(fs), future.apply::future_sapply(1:4, function(i) runif(1),
                                                future.seed = 7))
  }
  at_end(plan(sequential))
  ours <- draw(tenkai::future_backend, workers = 2)
  expect_identical(ours, draw(multisession, workers = 2))
})

test_that("neither a plan nor a future changes the session's random numbers", {
  set.seed(1)
  before <- .Random.seed
  set_two()
  value(future(1))
  expect_identical(.Random.seed, before)
})

test_that("a daemon that is killed makes an error that says so", {
  tenkai::daemons(1, retries = 0)
  at_end(tenkai::daemons(0))
  set_plan(tenkai::future_backend)
  file <- tempfile()
  f <- future({
    writeLines(as.character(Sys.getpid()), file)
    Sys.sleep(600)
  })
  expect_true(wait_for(function() length(lines_in(file)) == 1L))
  tools::pskill(as.integer(lines_in(file)), tools::SIGKILL)
  e <- error_of(f)
  expect_s3_class(e, "FutureInterruptError")
  expect_match(conditionMessage(e), "killed by signal 9")
  expect_s3_class(e$value, "errorValue")
  expect_identical(value(future("goes on")), "goes on")
})

test_that("a future whose daemon is killed in the middle is tried again", {
  set_two()
  file <- tempfile()
  f <- future({
    first <- !file.exists(file)
    file.create(file)
    if (first) tools::pskill(Sys.getpid(), tools::SIGKILL)
    "second time"
  })
  expect_identical(value(f), "second time")
})

test_that("a cancelled future is stopped, and says so", {
  set_two()
  file <- tempfile()
  f <- future({
    file.create(file)
    Sys.sleep(600)
  })
  expect_true(wait_for(function() file.exists(file)))
  cancel(f)
  await(f)
  e <- error_of(f)
  expect_s3_class(e, "FutureInterruptError")
  expect_match(conditionMessage(e), "cancelled")
  # Both daemons are free again.
  expect_identical(value(list(future(1), future(2))), list(1, 2))
  f <- reset(f)
  expect_identical(f$state, "created")
})

test_that("with interrupts = FALSE a cancelled future goes on", {
  set_plan(tenkai::future_backend, workers = 1, interrupts = FALSE)
  f <- future({
    Sys.sleep(0.2)
    "done"
  })
  cancel(f)
  expect_identical(value(f), "done")
})

test_that("another plan ends what is under way", {
  set_two()
  f <- future(Sys.sleep(600))
  plan(sequential)
  expect_s3_class(error_of(f), "FutureInterruptError")
})

test_that("a lazy future runs when it is asked for", {
  set_two()
  f <- future(6 * 7, lazy = TRUE)
  expect_identical(f$state, "created")
  await(f)
  expect_identical(value(f), 42)
})

test_that("futures are counted, and do not wait for a free daemon", {
  set_two()
  go <- tempfile()
  at_end(unlink(go))
  fs <- lapply(1:5, function(i) future({
    while (!file.exists(go)) Sys.sleep(0.01)
    i
  }))
  expect_identical(nbrOfFreeWorkers(), 0)
  backend <- plan("backend")
  expect_identical(nrow(listFutures(backend)), 5L)
  expect_output(print(backend), "5 unresolved")
  file.create(go)
  expect_identical(value(fs), as.list(1:5))
  expect_identical(nbrOfFreeWorkers(), 2)
  expect_identical(nrow(listFutures(backend)), 0L)
})

test_that("futures that nobody asks for are not kept once they are done", {
  set_two()
  backend <- plan("backend")
  expect_true(wait_for(pause = 0, function() {
    future(1)
    backend$swept > 0L
  }))
  expect_lt(length(backend$active), 400L)
})

test_that("futures within futures are sequential, if the plan does not say more", {
  set_two()
  inner <- value(future({
    f <- future::future(Sys.getpid())
    c(Sys.getpid(), future::value(f), future::nbrOfWorkers())
  }))
  expect_identical(inner[1L], inner[2L])
  expect_equal(inner[3L], 1)
})

test_that("two plans stand on each other", {
  set_plan(list(tweak(tenkai::future_backend, workers = 2),
                tweak(tenkai::future_backend, workers = 1)))
  pids <- value(future({
    f <- lapply(1:2, function(i) future::future(Sys.getpid()))
    c(Sys.getpid(), unlist(future::value(f)))
  }))
  expect_false(pids[1L] == pids[2L])
  expect_identical(pids[2L], pids[3L])
  plan(sequential)
  expect_true(wait_for(function() !is_running(pids[2L])))

  set_plan(list(tweak(tenkai::future_backend, workers = 1),
                tweak(multisession, workers = 2)))
  # future warns of processors and connections.
  inner <- suppressWarnings(value(future(future::nbrOfWorkers())))
  expect_equal(inner, 2)
})

test_that("a plan that was set before can be set again", {
  set_two()
  ours <- plan()
  value(future(1))
  before <- plan(sequential)
  plan(before)
  expect_identical(value(future(2)), 2)
  expect_identical(nbrOfWorkers(), 2L)
})

test_that("a plan whose daemons were ended says so, or starts them again", {
  tenkai::daemons(1)
  set_plan(tenkai::future_backend)
  tenkai::daemons(0)
  expect_error(future(1), "no daemons are set")
  set_two()
  tenkai::daemons(0, .compute = "future-2")
  expect_identical(value(future(1)), 1)
})

test_that("futures are evaluated here where daemons(sync = TRUE) says so", {
  tenkai::daemons(sync = TRUE)
  at_end(tenkai::daemons(0))
  set_plan(tenkai::future_backend)
  expect_identical(value(future(Sys.getpid())), Sys.getpid())
})

test_that("what is missing on a daemon is told", {
  set_two()
  e <- error_of(future(1, packages = "no.such.package"))
  expect_s3_class(e, "FutureError")
  expect_match(conditionMessage(e), "no.such.package")
})

# --- packages that are built on futures ---

test_that("future.apply, furrr and foreach by doFuture run on it", {
  set_two()
  pids <- future.apply::future_sapply(1:4, function(i) Sys.getpid())
  expect_false(Sys.getpid() %in% pids)
  expect_identical(future.apply::future_mapply(`+`, 1:3, 4:6), 1:3 + 4:6)
  expect_error(future.apply::future_lapply(1:3, function(i) stop("bad ", i)),
               "bad 1")
  expect_identical(furrr::future_map_dbl(1:3, ~ .x^2), c(1, 4, 9))
  square <- function(x) x^2
  doFuture::registerDoFuture()
  at_end(foreach::registerDoSEQ())
  `%dopar%` <- foreach::`%dopar%`
  i <- NULL
  expect_identical(foreach::foreach(i = 1:3, .combine = c) %dopar% square(i),
                   c(1, 4, 9))
  `%dofuture%` <- doFuture::`%dofuture%`
  expect_identical(foreach::foreach(i = 1:3, .combine = c) %dofuture% square(i),
                   c(1, 4, 9))
})

test_that("the bars of progressr move while futures run", {
  set_two()
  go <- tempfile()
  at_end(unlink(go))
  f <- NULL
  steps <- 0
  count <- function(type = "") {
    progressr::make_progression_handler("count", reporter = list(
      update = function(config, state, progression, ...) {
        if (progression$type == "update" && progression$amount > 0) {
          steps <<- steps + 1
        }
      }
    ), interval = 0, enable = TRUE)
  }
  progressr::with_progress({
    p <- progressr::progressor(steps = 3)
    f <- future({
      p()
      p()
      while (!file.exists(go)) Sys.sleep(0.01)
      p()
      "done"
    })
    moved <- wait_for(function() {
      future::resolved(f)
      steps == 2
    })
    file.create(go)
    done <- value(f)
  }, handlers = count(), enable = TRUE)
  expect_true(moved)
  expect_identical(done, "done")
  expect_identical(steps, 3)
})

test_that("a plan in .Rprofile is the session's, and its daemons come", {
  project <- set_folder()
  before <- setwd(project)
  on.exit(setwd(before))
  writeLines("future::plan(tenkai::future_backend, workers = 1)", ".Rprofile")
  said <- run_session(c(
    "library(future)",
    "cat(nbrOfWorkers(), value(future(nbrOfWorkers())), '\\n')",
    "invisible(tenkai::daemons(1))",
    "cat(tenkai::mirai(future::value(future::future(6 * 7)))[])"
  ), options = "--no-save")
  expect_identical(tail(said, 2L), c("1 1 ", "42"))
})
