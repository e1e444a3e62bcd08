# registerDoTenkai() with doRNG, as CRAN has it.
source("../../r/tests/testthat/helper-daemons.R", local = TRUE)
library(foreach)
library(doRNG)
i <- NULL

test_that("the random numbers of doRNG are the same on any backend", {
  draw <- function() {
    set.seed(42)
    made <- foreach(i = 1:5, .combine = c) %dorng% runif(1)
    as.numeric(made)
  }
  at_end(registerDoSEQ())
  registerDoSEQ()
  expected <- suppressWarnings(draw())
  tenkai::daemons(2)
  at_end(tenkai::daemons(0))
  tenkai::registerDoTenkai()
  expect_identical(draw(), expected)
  tenkai::registerDoTenkai(.chunk = 1)
  expect_identical(draw(), expected)

  doRNG::registerDoRNG(7)
  first <- as.numeric(foreach(i = 1:3, .combine = c) %dopar% rnorm(1))
  doRNG::registerDoRNG(7)
  expect_identical(as.numeric(foreach(i = 1:3, .combine = c) %dopar% rnorm(1)),
                   first)
})

test_that("a loop of doRNG leaves the session's generator alone", {
  tenkai::daemons(1)
  at_end(tenkai::daemons(0))
  tenkai::registerDoTenkai()
  at_end(registerDoSEQ())
  kind <- RNGkind()
  foreach(i = 1:2) %dorng% runif(1)
  expect_identical(RNGkind(), kind)
})
