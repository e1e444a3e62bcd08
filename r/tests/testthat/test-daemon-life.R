# Takes long: not with scripts/test --quick.
# What a daemon keeps and forgets between tasks, and when it goes.

test_that("cleanup takes globals, packages and options, not the random state", {
  set_daemons(1)
  evaluated({
    assign("made", 1, globalenv())
    .hidden <<- 1
    options(tenkai_test = 1, digits = 3)
    library(tools)
    RNGkind("default")
    set.seed(1)
  })
  expect_false(evaluated(exists("made", globalenv())))
  expect_null(evaluated(getOption("tenkai_test")))
  expect_identical(evaluated(getOption("digits")), getOption("digits", 7L))
  expect_false(evaluated("package:tools" %in% search()))
  expect_true("tools" %in% evaluated(loadedNamespaces()))
  expect_true(evaluated(exists(".Random.seed", globalenv())))
})

test_that("what a package has made of options stays as long as the package", {
  skip_if_not_installed("cli")
  made <- "callr.condition_handler_cli_message"
  set_daemons(1)
  evaluated({
    loadNamespace("cli")
    options(tenkai_test = 1)
  })
  expect_true(is.function(evaluated(getOption(made), made = made)))
  expect_null(evaluated(getOption("tenkai_test")))
  evaluated(options(callr.condition_handler_cli_message = NULL))
  expect_true(is.function(evaluated(getOption(made), made = made)))
})

test_that("cleanup = FALSE leaves everything", {
  set_daemons(1, cleanup = FALSE)
  evaluated({
    made <<- 1
    options(tenkai_test = 1)
    library(tools)
  }, sent = 2)
  expect_identical(evaluated(made), 1)
  expect_identical(evaluated(sent), 2)
  expect_identical(evaluated(getOption("tenkai_test")), 1)
  expect_true(evaluated("package:tools" %in% search()))
})

test_that("each bit of cleanup does its part alone", {
  left <- function() {
    c(globals = evaluated(exists("made", globalenv())),
      packages = evaluated("package:tools" %in% search()),
      options = evaluated(!is.null(getOption("tenkai_test"))))
  }
  kept <- list(
    "0" = c(TRUE, TRUE, TRUE), "1" = c(FALSE, TRUE, TRUE), "2" = c(TRUE, FALSE,
                                                                   TRUE),
    "4" = c(TRUE, TRUE, FALSE), "7" = c(FALSE, FALSE, FALSE),
    "15" = c(FALSE, FALSE, FALSE)
  )
  for (bits in names(kept)) {
    daemons(1, cleanup = as.integer(bits))
    evaluated({
      made <<- 1
      library(tools)
      options(tenkai_test = 1)
    })
    expect_identical(unname(left()), kept[[bits]], info = bits)
    daemons(0)
  }
})

# What a task finds that is no object, package or option.
global_state <- function() {
  evaluated({
    suppressWarnings(list(
      sinks = sink.number(), hidden = sink.number("message") > 2,
      devices = dev.list(), kind = RNGkind(), search = search(),
      locale = vapply(c("LC_COLLATE", "LC_NUMERIC", "LC_TIME"), Sys.getlocale,
                      ""),
      warnings = length(warnings())
    ))
  })
}

test_that("what a task sets in R itself ends with it", {
  for (dispatcher in c(TRUE, FALSE)) {
    daemons(1, dispatcher = dispatcher)
    before <- global_state()
    file <- tempfile()
    leaving <- list(
      quote({
        sink(tempfile())
        sink(tempfile())
        sink(file(tempfile(), "w"), type = "message")
      }),
      quote({
        sink()
        sink(type = "message")
      }),
      quote(closeAllConnections()),
      quote({
        closeAllConnections()
        file(tempfile(), "w")
      }),
      quote({
        pdf(NULL)
        pdf(NULL)
      }),
      quote({
        RNGkind("Wichmann-Hill", "Box-Muller")
        rnorm(1)
      }),
      quote(RNGkind(sample.kind = "Rounding")),
      quote(suppressWarnings({
        Sys.setlocale("LC_ALL", "C")
        Sys.setlocale("LC_NUMERIC", "C.UTF-8")
      })),
      quote({
        detach("package:stats")
        detach("package:utils")
      }),
      quote({
        options(warn = 2)
        detach("package:stats")
        sink(tempfile())
      }),
      quote(for (i in 1:60) warning("w")),
      quote({
        warning("w")
        stop("with a warning")
      })
    )
    for (expr in leaving) {
      call_mirai(mirai(expr))
      expect_identical(global_state(), before, info = deparse(expr)[1:2])
    }
    daemons(0)
  }
})

test_that("a stream of random numbers goes on after another kind was used", {
  draws <- function(between) {
    daemons(1, seed = 7)
    at_end(daemons(0))
    first <- evaluated(runif(1))
    call_mirai(mirai(between))
    c(first, evaluated(runif(1)))
  }
  straight <- draws(NULL)
  expect_identical(draws(quote({
    set.seed(1, kind = "Mersenne-Twister")
    runif(10)
  })), straight)
  expect_identical(draws(quote(rm(".Random.seed", envir = globalenv()))),
                   straight)
  expect_identical(draws(quote(.Random.seed <<- "none")), straight)
})

test_that("a time limit ends with the task that has set it", {
  limits <- list(quote(setTimeLimit(elapsed = 0.2, transient = TRUE)),
                 quote(setTimeLimit(elapsed = 0.2)),
                 quote(setSessionTimeLimit(elapsed = 0.2)))
  for (cleanup in c(TRUE, FALSE)) {
    daemons(1, cleanup = cleanup)
    for (limit in limits) {
      evaluated(eval(limit), limit = limit)
      evaluated({
        eval(limit)
        stop("with a limit")
      }, limit = limit)
      expect_identical(evaluated({
        Sys.sleep(0.3)
        for (i in 1:1e4) identity(i)
        "not limited"
      }), "not limited")
    }
    expect_match(evaluated({
      setTimeLimit(elapsed = 0.2)
      repeat Sys.sleep(0.01)
    }), "reached elapsed time limit")
    daemons(0)
  }
})

test_that("what a task leaves for good is as the help page says", {
  set_daemons(1)
  folder <- set_folder()
  evaluated({
    setwd(folder)
    Sys.setenv(TENKAI_TEST_LEFT = "here")
  }, folder = folder)
  expect_identical(basename(evaluated(getwd())), basename(folder))
  expect_identical(evaluated(Sys.getenv("TENKAI_TEST_LEFT")), "here")
})

test_that("warnings of a task are shown with it", {
  said <- run_session(c(
    "library(tenkai)", "invisible(daemons(1, output = TRUE))",
    "f <- function() warning('within')",
    "m <- mirai({ warning('plain'); f() }, f = f)",
    "invisible(call_mirai(m)); cat('answered\\n')",
    "m <- mirai(stop('later')); invisible(call_mirai(m))",
    "invisible(daemons(0))"
  ))
  expect_identical(said, c(
    "Warning messages:", "1: plain ", "2: In f() : within", "answered",
    "Error: later"
  ))
})

test_that("everywhere() leaves its effects on every daemon, through cleanup", {
  set_daemons(2)
  made <- everywhere({
    library(tools)
    offset <- 100
    options(tenkai_test = 5)
  })
  expect_length(made, 2L)
  expect_false(withVisible(everywhere(1))$visible)
  for (i in 1:8) {
    expect_identical(
      evaluated(c(offset, getOption("tenkai_test"),
                  "package:tools" %in% search())),
      c(100, 5, 1)
    )
  }
  everywhere(more <- extra, extra = 7)
  for (i in 1:4) expect_identical(evaluated(more + extra), 14)
})

test_that("everywhere() reaches later daemons before their first task", {
  set_daemons(1, url = "abstract://tenkai-test-late", respawn = FALSE)
  everywhere(offset <- 100)
  m <- mirai(offset + 1)
  launch_local(1)
  expect_identical(value_of(m), 101)
  evaluated(quit())
  launch_local(1)
  expect_identical(evaluated(offset + 2), 102)
})

test_that("everywhere() reaches late daemons without a dispatcher too", {
  set_daemons(url = "abstract://tenkai-test-late-direct", dispatcher = FALSE)
  everywhere(offset <- 100)
  launch_local(c(1, 1))
  expect_true(wait_for(function() status()$connections == 2L))
  for (i in 1:4) expect_identical(evaluated(offset + 1), 101)
})

test_that("everywhere() that fails on a daemon is told at the next occasion", {
  set_daemons(1)
  everywhere(stop("not here"))
  expect_message({
    evaluated(1)
    status()
  }, "not here")
  expect_identical(evaluated("fine"), "fine")
})

test_that("everywhere() without daemons does nothing", {
  expect_null(everywhere(stop("nobody")))
})

test_that("maxtasks ends a daemon after so many, and loses none", {
  set_daemons(1, maxtasks = 3)
  tasks <- lapply(1:5, function(i) mirai(i, .args = list(i = i)))
  expect_identical(lapply(tasks[1:3], value_of), as.list(1:3))
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
  expect_true(unresolved(tasks[[4]]))
  expect_identical(unname(status()$daemons[, "complete"]), 3L)
  launch_local(1)
  expect_identical(lapply(tasks[4:5], value_of), as.list(4:5))
})

test_that("idletime ends a daemon that waits", {
  set_daemons(1, idletime = 200)
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
  m <- mirai("waits for another")
  launch_local(1, idletime = 600000)
  expect_identical(value_of(m), "waits for another")
})

test_that("walltime ends a daemon after its task", {
  set_daemons(1, walltime = 300)
  value <- evaluated({
    Sys.sleep(0.5)
    "done all the same"
  })
  expect_identical(value, "done all the same")
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
  expect_identical(unname(status()$daemons[, "complete"]), 1L)
})

test_that("timerstart lets the clocks start after so many tasks", {
  set_daemons(1, idletime = 200, timerstart = 2)
  Sys.sleep(0.6)
  expect_identical(unname(status()$daemons[, "online"]), 1L)
  evaluated(1)
  Sys.sleep(0.6)
  expect_identical(unname(status()$daemons[, "online"]), 1L)
  evaluated(2)
  expect_true(wait_for(function() status()$daemons[, "online"] == 0))
})

test_that("with autoexit = FALSE a daemon stays for the next session", {
  url <- "abstract://tenkai-test-stays"
  at_end(daemons(NULL))
  daemons(1, url = url)
  launch_local(url, autoexit = FALSE)
  pid <- evaluated(Sys.getpid())
  at_end(tools::pskill(pid, tools::SIGKILL))
  daemons(0)
  daemons(1, url = url)
  expect_identical(evaluated(Sys.getpid()), pid)
  daemons(NULL)
  expect_true(wait_for(function() !is_running(pid)))
})

test_that("with autoexit = FALSE a daemon waits for the first dispatcher", {
  for (url in c("abstract://tenkai-test-waits",
                paste0("ipc://", file.path(set_folder(), "waits")))) {
    begun <- file.path(set_folder(), "begun")
    pid <- start_session(c(
      "library(tenkai)", sprintf("file.create('%s')", begun),
      sprintf("daemon('%s', autoexit = FALSE)", url)
    ), tempfile())
    # It has dialled in vain when it sleeps.
    expect_true(wait_for(function() file.exists(begun) && is_asleep(pid)))
    daemons(1, url = url)
    expect_identical(evaluated(Sys.getpid()), pid)
    daemons(NULL)
    expect_true(wait_for(function() !is_running(pid)))
  }
})

test_that("a URL that cannot be dialled is an error with autoexit = FALSE too", {
  expect_error(daemon("abstract://", autoexit = FALSE),
               "3 | Invalid argument: the URL 'abstract://' has no name",
               fixed = TRUE)
})

test_that("autoexit = NA lets the running task finish", {
  folder <- set_folder()
  daemons(1, autoexit = NA)
  at_end(daemons(0))
  m <- mirai({
    file.create(file.path(folder, "begun"))
    Sys.sleep(1)
    file.create(file.path(folder, "finished"))
  }, folder = folder)
  expect_true(wait_for(function() "begun" %in% dir(folder)))
  daemons(0)
  expect_true(is_error_code(m$data, 7L))
  expect_true(wait_for(function() "finished" %in% dir(folder)))
})

test_that("autoexit = TRUE interrupts the running task", {
  folder <- set_folder()
  daemons(1)
  at_end(daemons(0))
  mirai({
    file.create(file.path(folder, "begun"))
    tryCatch(Sys.sleep(600), interrupt = function(c) {
      file.create(file.path(folder, "interrupted"))
    })
  }, folder = folder)
  expect_true(wait_for(function() "begun" %in% dir(folder)))
  daemons(0)
  expect_true(wait_for(function() "interrupted" %in% dir(folder)))
})

test_that("daemon() names what is wrong", {
  expect_error(daemon("URL"),
               "^3 \\| Invalid argument: the URL 'URL' has no scheme")
  expect_error(daemon("fd:x"), "^3 \\| Invalid argument: fd:x: ")
  expect_error(daemon(5), "'url' must be a single string, not 5")
  expect_error(daemon("abstract://tenkai-nobody-is-here"),
               "6 | Connection refused", fixed = TRUE)
  expect_error(daemon("http://127.0.0.1:1"))
  expect_error(daemon("abstract://x", maxtasks = "a"),
               "'maxtasks' must be a number")
})

test_that("each daemon draws from a stream of its own, set by the seed", {
  draws <- function(...) {
    daemons(2, dispatcher = FALSE, ...)
    at_end(daemons(0))
    vapply(1:6, function(i) evaluated(rnorm(1)), 0)
  }
  first <- draws(seed = 42)
  # Which daemon is dealt the first task depends on which one came first.
  expect_identical(sort(draws(seed = 42)), sort(first))
  expect_length(unique(first), 6L)
  expect_false(identical(draws(seed = 43), first))
})

test_that("the streams are consecutive L'Ecuyer streams of the seed", {
  set_daemons(1, seed = 42)
  RNGkind("L'Ecuyer-CMRG")
  at_end(RNGkind("default"))
  set.seed(42)
  first <- .Random.seed
  second <- parallel::nextRNGStream(first)
  expect_identical(evaluated(.Random.seed), first)
  expect_identical(nextstream(), second)
  expect_identical(nextstream(), parallel::nextRNGStream(second))
  expect_null(nextstream("no such profile"))
})

test_that("only daemons() touches the session's random numbers, once", {
  set.seed(7)
  runif(1)
  expected <- runif(3)
  set.seed(7)
  set_daemons(1)
  expect_identical(runif(1), expected[1])
  before <- .Random.seed
  evaluated(1)
  everywhere(2)
  status()
  nextstream()
  saisei(1, force = TRUE)
  launch_local(1)
  launch_remote(1)
  local_url()
  host_url(port = c(60000, 63000))
  stop_mirai(mirai(3))
  daemons(0)
  evaluated(4)
  expect_identical(.Random.seed, before)
})

test_that("without daemons each task has a fresh R", {
  pids <- vapply(1:3, function(i) evaluated(Sys.getpid()), 0L)
  expect_length(unique(pids), 3L)
  expect_identical(status()$connections, 0L)
  expect_true(wait_for(function() !any(vapply(pids, is_running, NA))))
})

test_that("without daemons many tasks run, and large ones", {
  tasks <- lapply(1:8, function(i) {
    mirai(sum(x) + i, x = numeric(1e6), .args = list(i = i))
  })
  expect_identical(vapply(tasks, value_of, 0), as.numeric(1:8))
  expect_identical(evaluated(nchar(x), x = strrep("x", 6000)), 6000L)
})
