# Runs the tests of the R package as it is installed, against real processes, and
# ends with a line that scripts/test reads. Arguments choose files: a test file is
# run if its name contains one of them.
library(testthat)

# What the tests start is elsewhere: R_LIBS=build/R would be another folder there.
for (name in c("R_LIBS", "TENKAI_BIN")) {
  paths <- strsplit(Sys.getenv(name), ":", fixed = TRUE)[[1L]]
  if (!length(paths)) next
  paths <- paste(normalizePath(paths, mustWork = FALSE), collapse = ":")
  do.call(Sys.setenv, setNames(list(paths), name))
}

results <- as.data.frame(test_dir(
  "r/tests/testthat",
  filter = if (length(chosen <- commandArgs(TRUE))) paste(chosen, collapse = "|"),
  package = "tenkai",
  load_package = "installed",
  reporter = "summary",
  stop_on_failure = FALSE
))
seconds <- sort(tapply(results$real, sub("^test-(.*)[.]R$", "\\1", results$file), sum), decreasing = TRUE)
cat("Longest:", paste(sprintf("%s %.0f s", names(seconds), seconds)[seq_len(min(5L, length(seconds)))],
                      collapse = ", "), "\n")
bad <- results$failed > 0 | results$error
cat(sprintf(
  "testthat: %d passed, %d failed, %d skipped\n",
  sum(!bad & !results$skipped), sum(bad), sum(results$skipped & !bad)
))
quit(status = if (any(bad)) 1L else 0L)
