# Resampling of package mlr3 in daemons, and its encapsulation of one learner.
tenkai::use_as_mirai()
suppressPackageStartupMessages(library(mlr3))

set_daemons <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(mirai::daemons(0, .compute = "mlr3_parallelization")),
                        TRUE, FALSE), envir = frame)
  mirai::daemons(..., .compute = "mlr3_parallelization")
}

test_that("the folds of a resampling are done in daemons, as in the session", {
  run <- function() {
    set.seed(1)
    resample(tsk("iris"), lrn("classif.rpart"), rsmp("cv", folds = 6))$aggregate(msr("classif.ce"))
  }
  here <- run()
  set_daemons(2, seed = 1)
  before <- mirai::info("mlr3_parallelization")[["completed"]]
  expect_equal(run(), here)
  expect_identical(mirai::info("mlr3_parallelization")[["completed"]] - before, 6L)
})

test_that("a daemon that is killed in the middle changes nothing", {
  set_daemons(2, seed = 1)
  tried <- tempfile()
  LearnerKills <- R6::R6Class("LearnerKills", inherit = mlr3::LearnerClassif,
    public = list(
      tried = NULL,
      initialize = function() {
        super$initialize("classif.kills", feature_types = "numeric", predict_types = "response",
                         properties = "multiclass")
      }
    ),
    private = list(
      .train = function(task) {
        if (!file.exists(self$tried)) {
          file.create(self$tried)
          tools::pskill(Sys.getpid(), tools::SIGKILL)
          Sys.sleep(60)
        }
        list(level = task$class_names[1L])
      },
      .predict = function(task) list(response = rep(self$model$level, task$nrow))
    )
  )
  learner <- LearnerKills$new()
  learner$tried <- tried
  result <- resample(tsk("iris"), learner, rsmp("cv", folds = 4))
  expect_identical(nrow(result$score()), 4L)
  expect_true(file.exists(tried))
})
