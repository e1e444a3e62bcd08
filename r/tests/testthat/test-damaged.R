# What a task has spoilt in the R of its daemon, and what later tasks meet.

test_that("a low limit of nested calls ends with the task that has set it", {
  set_daemons(1)
  expect_identical(evaluated({
    options(expressions = 25)
    1
  }), 1)
  expect_identical(evaluated(getOption("expressions")), 5000L)
  expect_identical(as.character(evaluated(stop("later"))), "Error: later")
  expect_identical(as.character(evaluated({
    options(expressions = 30)
    stop("own")
  })), "Error: own")
  expect_identical(evaluated(getOption("expressions")), 5000L)
})

test_that("a limit of nested calls that is meant to stay stays", {
  for (ways in c("everywhere", "cleanup")) {
    daemons(1, cleanup = ways == "everywhere")
    limit <- quote(options(expressions = 100))
    if (ways == "everywhere") everywhere(options(expressions = 100)) else
      evaluated(eval(limit), limit = limit)
    for (i in 1:2) {
      expect_identical(as.character(evaluated(stop("u"))), "Error: u")
      expect_identical(evaluated(getOption("expressions")), 100L, info = ways)
    }
    daemons(0)
  }
})

test_that("a daemon goes on without the namespace of tenkai", {
  set_daemons(1)
  before <- evaluated(Sys.getpid())
  expect_identical(evaluated({
    unloadNamespace("tenkai")
    1
  }), 1)
  expect_identical(as.character(evaluated(stop("later"))), "Error: later")
  expect_identical(evaluated(Sys.getpid()), before)
  expect_true(evaluated(is.function(tenkai::mirai)))
  expect_identical(as.character(evaluated(stop("again"))), "Error: again")
})

test_that("a daemon in which R no longer works says so once and is replaced", {
  set_daemons(1)
  before <- evaluated(Sys.getpid())
  spoil <- function(name) {
    evaluated({
      unlockBinding(name, baseenv())
      assign(name, function(...) stop("spoilt"), baseenv())
    }, name = name)
  }
  for (name in c("paste0", "conditionCall")) {
    spoil(name)
    expect_match(evaluated(stop("u")), "R no longer works in this daemon")
    expect_identical(as.character(evaluated(stop("u"))), "Error: u")
    expect_false(evaluated(Sys.getpid()) == before)
  }
})
