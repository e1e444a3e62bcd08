# The tests that package future.tests has for any backend. It takes a minute.

test_that("all tests of future.tests pass", {
  code <- c("tenkai::daemons(2)",
            "future.tests::check('tenkai::future_backend', timeout = 120,",
            "                    settings = FALSE, exit_value = FALSE)")
  file <- tempfile(fileext = ".R")
  on.exit(unlink(file))
  for (lines in list(code, sub("backend'", "backend, workers = 2'", code[-1L]))) {
    writeLines(lines, file)
    said <- suppressWarnings(
      system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", file),
              stdout = TRUE, stderr = TRUE)
    )
    result <- grep("^Results:", said, value = TRUE)
    expect_match(result, "[1-9][0-9]+ ok .* 0 errors .* 0 timeouts",
                 info = paste(utils::tail(said, 40L), collapse = "\n"))
  }
})
