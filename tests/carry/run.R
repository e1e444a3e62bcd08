# Runs one file of tests of this folder: Rscript run.R FILE. Each has an R of its own,
# since a package mirai can be loaded in one form only. It is skipped where a package is
# missing that packages.tsv names for it. The last line counts.
file <- commandArgs(TRUE)[1L]
source(file.path(dirname(file), "packages.R"))

needed <- needed_packages(dirname(file))
name <- sub("^test-(.*)[.]R$", "\\1", basename(file))
missing <- missing_packages(lapply(needed, `[`, vapply(needed$tests, function(tests) {
  name %in% tests
}, NA)))
if (length(missing)) {
  cat(paste0("skipped: ", missing, "\n"), sep = "")
  cat("testthat: 0 passed, 0 failed, 1 skipped\n")
  quit(status = 0L)
}

library(testthat)
results <- as.data.frame(test_file(file, reporter = "progress", stop_on_failure = FALSE))
for (result in unlist(results$result, recursive = FALSE)) {
  if (inherits(result, "expectation_skip")) {
    cat("skipped: ", sub("^Reason: ", "", conditionMessage(result)), "\n", sep = "")
  }
}
failed <- sum(results$failed > 0L | results$error)
cat(sprintf("testthat: %d passed, %d failed, %d skipped\n",
            sum(!results$skipped) - failed, failed, sum(results$skipped)))
quit(status = if (failed || !nrow(results)) 1L else 0L)
