# What tests/carry/packages_slurm.sh does in an R session, with the package that it names.
source("common.R")
suppressMessages(tenkai::use_as_mirai())
package <- commandArgs(TRUE)[2L]
tried <- file.path(work, paste0(package, ".tried"))

# They ask how many daemons there are, before they use them.
set_jobs <- function(.compute = "default") {
  tenkai::daemons(profile = "cpu", .compute = .compute)
  come <- function() mirai::status(.compute)$connections == 3L
  check(paste("three daemons come for", package), wait_for(come, 100))
}

# Evaluated in a daemon, the first of which is killed: where the others are.
job_unless_killed <- function(tried) {
  if (nzchar(Sys.getenv("SLURM_JOB_ID")) && !file.exists(tried)) {
    file.create(tried)
    tools::pskill(Sys.getpid(), tools::SIGKILL)
    Sys.sleep(600)
  }
  Sys.getenv("SLURM_JOB_ID")
}

check_jobs <- function(what, jobs) {
  check(paste(what, "in jobs"), length(jobs) > 0L && all(nzchar(jobs)))
  check("  and a daemon was killed", file.exists(tried))
}

with_tune <- function() {
  suppressPackageStartupMessages({
    library(parsnip)
    library(tune)
  })
  set.seed(1)
  folds <- rsample::vfold_cv(mtcars, v = 6)
  control <- control_resamples(extract = eval(bquote(function(x) {
    .(job_unless_killed)(.(tried))
  })))
  fit <- function() {
    set.seed(2)
    fit_resamples(linear_reg(), mpg ~ wt + hp, folds, control = control)
  }
  numbers <- function(result) {
    result <- collect_metrics(result, summarize = FALSE)
    as.data.frame(result[order(result$id, result$.metric), ])
  }
  here <- numbers(fit())
  set_jobs()
  result <- fit()
  check_jobs("tune fits", unlist(collect_extracts(result)$.extracts))
  check("  with the numbers of the session", isTRUE(all.equal(numbers(result), here)))
}

with_mlr3 <- function() {
  suppressPackageStartupMessages(library(mlr3))
  lgr::get_logger("mlr3")$set_threshold("warn")
  LearnerJob <- R6::R6Class("LearnerJob", inherit = mlr3::LearnerClassif,
    public = list(
      job = NULL,
      initialize = function() {
        super$initialize("classif.job", feature_types = "numeric",
                         predict_types = "response", properties = "multiclass")
      }
    ),
    private = list(
      .train = function(task) list(level = task$class_names[1L], job = self$job()),
      .predict = function(task) list(response = rep(self$model$level, task$nrow))
    )
  )
  learner <- LearnerJob$new()
  learner$job <- eval(bquote(function() .(job_unless_killed)(.(tried))))
  set_jobs("mlr3_parallelization")
  result <- resample(tsk("iris"), learner, rsmp("cv", folds = 6), store_models = TRUE)
  check_jobs("mlr3 resamples", vapply(result$learners, function(each) each$model$job, ""))
  check("  with all folds", nrow(result$score()) == 6L)
}

with_plumber2 <- function() {
  library(plumber2)
  set_jobs()
  pa <- api_get(api(), "/job", function() Sys.getenv("SLURM_JOB_ID"), async = "mirai",
                serializers = get_serializers("json"))
  request <- fiery::fake_request("http://127.0.0.1:8080/job")
  said <- new.env()
  promises::then(promises::as.promise(pa$test_request(request)),
                 function(value) said$body <- value$body,
                 function(why) said$body <- conditionMessage(why))
  wait_for(function() {
    later::run_now(0.1)
    !is.null(said$body)
  }, 100, must = FALSE)
  check(paste("plumber2 answers from a job:", said$body), grepl("[0-9]", said$body))
}

switch(package, tune = with_tune(), mlr3 = with_mlr3(), plumber2 = with_plumber2())
for (name in c("default", "mlr3_parallelization")) {
  invisible(tenkai::daemons(0, .compute = name))
}
finish()
