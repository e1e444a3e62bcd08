# Runs one file of tests of this folder: Rscript run.R FILE. Each has an R of its own,
# since a package mirai can be loaded in one form only. The last line counts.
file <- commandArgs(TRUE)[1L]
library(testthat)
results <- as.data.frame(test_file(file, reporter = "progress", stop_on_failure = FALSE))
failed <- sum(results$failed > 0L | results$error)
cat(sprintf("testthat: %d passed, %d failed, %d skipped\n",
            sum(!results$skipped) - failed, failed, sum(results$skipped)))
quit(status = if (failed || !nrow(results)) 1L else 0L)
