# purrr's in_parallel() on the package mirai of tenkai.
tenkai::use_as_mirai()
library(purrr)

set_daemons <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(mirai::daemons(0)), TRUE, FALSE), envir = frame)
  mirai::daemons(...)
}

test_that("elements are done in daemons, in order", {
  set_daemons(2)
  expect_identical(map_dbl(1:100, in_parallel(\(x) x + offset, offset = 1)),
                   as.double(2:101))
  pids <- map_int(1:20, in_parallel(\(x) Sys.getpid()))
  expect_false(Sys.getpid() %in% pids)
  expect_identical(map2_chr(c(a = "x", b = "y"), 1:2, in_parallel(\(x, y) paste0(x, y))),
                   c(a = "x1", b = "y2"))
  expect_identical(pmap(list(1:2, 3:4), in_parallel(\(a, b) a * b)), list(3L, 8L))
  expect_identical(map(list(), in_parallel(\(x) x)), list())
})

test_that("an error names the element, and has that of the daemon as its parent", {
  set_daemons(2)
  condition <- tryCatch(map(c(a = 1, b = 2, c = 3),
                            in_parallel(\(x) if (x == 2) stop("no two") else x)),
                        error = identity)
  expect_s3_class(condition, "purrr_error_indexed")
  expect_identical(condition$location, 2L)
  expect_identical(condition$name, "b")
  expect_match(conditionMessage(condition$parent), "no two")
})

test_that("the work of a daemon that is killed is done by another", {
  set_daemons(2)
  tried <- tempfile()
  done <- map_int(1:40, in_parallel(\(x) {
    if (x == 7L && !file.exists(tried)) {
      file.create(tried)
      tools::pskill(Sys.getpid(), tools::SIGKILL)
      Sys.sleep(60)
    }
    x
  }, tried = tried))
  expect_identical(done, 1:40)
  expect_true(file.exists(tried))
})

test_that("an element that kills each of its daemons is an error that says of what", {
  set_daemons(2)
  condition <- tryCatch(map(1:3, in_parallel(\(x) {
    if (x == 2L) tools::pskill(Sys.getpid(), tools::SIGKILL)
    x
  })), error = identity)
  expect_identical(condition$location, 2L)
  expect_match(paste(conditionMessage(condition), conditionMessage(condition$parent)),
               "SIGKILL")
})

test_that("the daemons may be those of tenkai", {
  on.exit(tenkai::daemons(0))
  tenkai::daemons(2)
  expect_identical(map_int(1:3, in_parallel(\(x) x)), 1:3)
})

test_that("without daemons it goes on in the session", {
  expect_identical(suppressWarnings(map_int(1:3, in_parallel(\(x) Sys.getpid()))),
                   rep(Sys.getpid(), 3L))
})
