# Takes long: not with scripts/test --quick.
# registerDoTenkai(), with foreach as Debian has it.
skip_if_not_installed("foreach")
`%dopar%` <- foreach::`%dopar%`
`%:%` <- foreach::`%:%`
foreach <- foreach::foreach
icount <- iterators::icount
i <- x <- y <- NULL

# Loops on `n` daemons, for the rest of a test.
set_loops <- function(n = 2, ..., frame = parent.frame()) {
  registerDoTenkai(...)
  do.call(on.exit, list(quote(foreach::registerDoSEQ()), TRUE, FALSE),
          envir = frame)
  set_daemons(n, frame = frame)
}

# An iterator that counts how often it was asked, and ends after `last`.
counted <- function(last = Inf, size = 1L) {
  asked <- 0L
  nextElem <- function() {
    if (asked >= last) stop("StopIteration", call. = FALSE)
    asked <<- asked + 1L
    rep(asked, size)
  }
  structure(list(nextElem = nextElem, asked = function() asked),
            class = c("abstractiter", "iter"))
}

test_that("a loop runs on daemons, and says on what", {
  set_loops(2)
  pids <- foreach(i = 1:4, .combine = c) %dopar% Sys.getpid()
  expect_false(Sys.getpid() %in% pids)
  expect_identical(foreach(i = 1:3) %dopar% i^2, list(1, 4, 9))
  expect_identical(foreach::getDoParName(), "tenkai")
  expect_identical(foreach::getDoParWorkers(), 2L)
  expect_identical(foreach::getDoParVersion(),
                   as.character(packageVersion("tenkai")))
})

test_that("without daemons a loop says how to set them", {
  registerDoTenkai(.compute = "side")
  at_end(foreach::registerDoSEQ())
  expect_identical(foreach::getDoParWorkers(), 1L)
  expect_error(foreach(i = 1:3) %dopar% i, class = "tenkai_no_daemons")
  set_daemons(1, .compute = "side")
  expect_identical(foreach(i = 1:2, .combine = c) %dopar% i, 1:2)
})

test_that("arguments that are wrong are errors that name them", {
  expect_error(registerDoTenkai(1), "'.compute' must be a single string")
  expect_error(registerDoTenkai(.chunk = 0), "'.chunk' must be a number")
  set_loops(1)
  expect_warning(foreach(i = 1, .options.tenkai = list(size = 2)) %dopar% i,
                 "'size' is no option")
})

test_that("10,000 elements come in their order, more than go out at once", {
  set_loops(2)
  expect_identical(foreach(i = 1:10000, .combine = c) %dopar% i, 1:10000)
})

test_that("results are combined as they come", {
  set_loops(2)
  go <- set_folder()
  file <- file.path(go, "go")
  seen <- integer()
  combine <- function(...) {
    seen <<- c(seen, unlist(list(...)[-1L]))
    if (all(2:3 %in% seen)) file.create(file)
    NULL
  }
  # The first element waits for what is done with those behind it.
  foreach(i = 1:3, .combine = combine, .inorder = FALSE, .init = NULL,
          .options.tenkai = list(chunk = 1)) %dopar% {
    if (i == 1L) while (!file.exists(file)) Sys.sleep(0.01)
    i
  }
  expect_identical(sort(seen), 1:3)
  expect_identical(seen[length(seen)], 1L)
  expect_identical(
    foreach(i = 1:4, .combine = c, .options.tenkai = list(chunk = 1)) %dopar% {
      if (i == 1L) Sys.sleep(0.2)
      i
    }, 1:4
  )
})

test_that("an error ends the loop, is left out, or stands in its place", {
  set_loops(2)
  e <- tryCatch(foreach(i = 1:3) %dopar% if (i == 2L) stop("bad ", i) else i,
                error = identity)
  expect_identical(conditionMessage(e), "task 2 failed - \"bad 2\"")
  removed <- foreach(i = 1:3, .errorhandling = "remove") %dopar%
    if (i == 2L) stop("bad") else i
  expect_identical(removed, list(1L, 3L))
  passed <- foreach(i = 1:3, .errorhandling = "pass") %dopar%
    if (i == 2L) stop("bad") else i
  expect_s3_class(passed[[2L]], "simpleError")
  expect_identical(passed[c(1L, 3L)], list(1L, 3L))
})

test_that("what still runs of a loop that has failed is stopped", {
  set_loops(2)
  expect_error(
    foreach(i = 1:3, .options.tenkai = list(chunk = 1)) %dopar% {
      if (i == 2L) stop("bad") else if (i == 1L) Sys.sleep(600)
    }, "task 2 failed"
  )
  expect_identical(evaluated("free"), "free")
  expect_identical(foreach(i = 1:2, .combine = c) %dopar% i, 1:2)
})

test_that("an element whose daemon dies is an error that says so", {
  set_loops(2)
  passed <- foreach(i = 1:3, .errorhandling = "pass") %dopar%
    if (i == 2L) quit(status = 3) else i
  expect_match(conditionMessage(passed[[2L]]), "exit code 3")
  expect_identical(passed[c(1L, 3L)], list(1L, 3L))
})

test_that("an endless iterator is not read further than there is room", {
  set_loops(2)
  endless <- counted()
  expect_identical(foreach(i = endless, x = 1:3, .combine = c) %dopar% (i + x),
                   c(2L, 4L, 6L))
  expect_lte(endless$asked(), 4L)
  endless <- counted()
  expect_error(foreach(i = endless) %dopar% if (i == 5000L) stop("enough"),
               "task 5000 failed - \"enough\"")
  expect_lt(endless$asked(), 5000L + 3L * 4096L)
})

test_that("large elements go out a few at a time", {
  set_loops(2)
  large <- counted(40, size = 2e6)
  most <- foreach(x = large, .combine = max) %dopar% {
    length(x)
    x[1L]
  }
  expect_identical(most, 40L)
  endless <- counted(size = 2e6)
  expect_error(foreach(x = endless) %dopar% stop("at once"), "at once")
  expect_lt(endless$asked(), 40L)
})

test_that("the error of an iterator is the loop's", {
  set_loops(1)
  broken <- structure(list(nextElem = function() stop("no more paper")),
                      class = c("abstractiter", "iter"))
  expect_error(foreach(i = broken) %dopar% i, "no more paper")
})

test_that("objects and functions that a loop names are found", {
  set_loops(2)
  assign("from_global", 100, globalenv())
  evalq(add_global <- function(x) x + from_global, globalenv())
  at_end(rm("from_global", "add_global", envir = globalenv()))
  user <- new.env(parent = globalenv())
  user$foreach <- foreach
  user$`%dopar%` <- `%dopar%`
  evalq({
    outer <- 10
    loop <- function(...) {
      inner <- 1
      add <- function(x) add_global(x) + outer + inner
      foreach(i = 1:2, .combine = c) %dopar% (add(i) + sum(...))
    }
  }, user)
  expect_identical(user$loop(1000, 2000), c(3112, 3113))
})

test_that("objects are added and left out, and packages attached", {
  set_loops(2)
  hidden <- 5
  named <- foreach(i = 1, .export = "hidden") %dopar% get("hidden")
  expect_identical(named, list(5))
  expect_error(foreach(i = 1, .noexport = "hidden") %dopar% hidden,
               "object 'hidden' not found")
  expect_error(foreach(i = 1, .export = "nowhere") %dopar% i,
               "'.export' names 'nowhere'")
  attached <- foreach(i = 1:20, .packages = "stats4", .combine = c) %dopar%
    is.function(mle)
  expect_true(all(attached))
  expect_false(evaluated("package:stats4" %in% search()))
  expect_error(foreach(i = 1, .packages = "no.such.package",
                       .errorhandling = "remove") %dopar% i, "no.such.package")
})

test_that("an element leaves nothing for the next one", {
  set_loops(1)
  left <- foreach(i = 1:10, .combine = c) %dopar% {
    there <- exists("left_behind")
    left_behind <- i
    there
  }
  expect_false(any(left))
})

test_that("loops within loops are one loop", {
  set_loops(2)
  made <- foreach(x = 1:3, .combine = cbind) %:%
    foreach(y = 1:2, .combine = c) %dopar% (10 * x + y)
  expect_identical(unname(made), matrix(c(11, 12, 21, 22, 31, 32), 2))
})

test_that("a loop runs here where daemons(sync = TRUE) says so", {
  registerDoTenkai()
  at_end(foreach::registerDoSEQ())
  set_daemons(sync = TRUE)
  expect_identical(foreach(i = 1:2, .combine = c) %dopar% Sys.getpid(),
                   rep(Sys.getpid(), 2))
})

test_that("Ctrl-C ends a loop and what runs of it", {
  set_loops(1)
  expect_error({
    setTimeLimit(elapsed = 0.5, transient = TRUE)
    foreach(i = 1:3) %dopar% Sys.sleep(600)
  }, "time limit")
  setTimeLimit()
  expect_identical(evaluated("free"), "free")
})
