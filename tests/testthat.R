# Runs the tests of the R package as it is installed, against real processes, and
# ends with a line that scripts/test reads. Arguments choose files: a test file is
# run if its name contains one of them.
library(testthat)

results <- as.data.frame(test_dir(
  "r/tests/testthat",
  filter = if (length(chosen <- commandArgs(TRUE))) paste(chosen, collapse = "|"),
  package = "tenkai",
  load_package = "installed",
  reporter = "summary",
  stop_on_failure = FALSE
))
bad <- results$failed > 0 | results$error
cat(sprintf(
  "testthat: %d passed, %d failed, %d skipped\n",
  sum(!bad & !results$skipped), sum(bad), sum(results$skipped & !bad)
))
quit(status = if (any(bad)) 1L else 0L)
