# Package tune of tidymodels, on the package mirai of tenkai: resamples and grids.
tenkai::use_as_mirai()
suppressPackageStartupMessages({
  library(parsnip)
  library(tune)
})

set_daemons <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(mirai::daemons(0)), TRUE, FALSE), envir = frame)
  mirai::daemons(...)
}

folds <- function(n = 4) {
  set.seed(1)
  rsample::vfold_cv(mtcars, v = n)
}

# The numbers of each fold.
numbers <- function(result) {
  result <- collect_metrics(result, summarize = FALSE)
  as.data.frame(result[order(result$.config, result$id, result$.metric), ])
}

fit <- function(...) {
  set.seed(2)
  numbers(fit_resamples(linear_reg(), mpg ~ wt + hp, folds(), ...))
}

# The degree of a polynomial, tuned.
grid <- function() {
  set.seed(3)
  recipe <- recipes::step_poly(recipes::recipe(mpg ~ wt, mtcars), wt,
                               degree = tune("degree"))
  numbers(tune_grid(linear_reg(), recipe, folds(3), grid = data.frame(degree = 1:3)))
}

completed <- function() mirai::info()[["completed"]]

test_that("resamples are fitted in daemons, with the numbers of the session", {
  here <- fit()
  expect_gt(nrow(here), 0L)
  set_daemons(2)
  before <- completed()
  expect_equal(fit(), here)
  expect_gte(completed() - before, 4L)
})

test_that("a grid is tuned in daemons, with the numbers of the session", {
  here <- grid()
  expect_identical(length(unique(here$.config)), 3L)
  set_daemons(2)
  before <- completed()
  expect_equal(grid(), here)
  expect_gt(completed() - before, 0L)
})

test_that("a daemon that is killed in the middle changes no number", {
  kills <- function(tried) {
    function(x) {
      if (!file.exists(tried)) {
        file.create(tried)
        tools::pskill(Sys.getpid(), tools::SIGKILL)
        Sys.sleep(60)
      }
      TRUE
    }
  }
  here <- fit()
  set_daemons(2)
  tried <- tempfile()
  expect_equal(fit(control = control_resamples(extract = kills(tried))), here)
  expect_true(file.exists(tried))
})
