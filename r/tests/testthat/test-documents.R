# Documents of knitr that use daemons: what is left when they end.

skip_if_not_installed("knitr")

# The lines of a chunk, of a document.
chunk <- function(...) c("```{r}", ..., "```")

# What knit() makes of these lines in this session; an error of a chunk is its
# own.
knit_lines <- function(...) {
  before <- knitr::opts_chunk$get("error")
  on.exit(knitr::opts_chunk$set(error = before))
  knitr::opts_chunk$set(error = FALSE)
  knitr::knit(text = c(...), quiet = TRUE,
              envir = new.env(parent = asNamespace("tenkai")))
}

# A chunk that starts a daemon, which notes its pid.
sets_daemon <- function(file, compute = "report") {
  chunk(sprintf("daemons(1, .compute = '%s')", compute),
        sprintf("cat(mirai(Sys.getpid(), .compute = '%s')[], file = '%s')",
                compute, file))
}

test_that("the daemons of a document that fails end with it", {
  at_end(daemons(0, .compute = "report"))
  file <- file.path(set_folder(), "pid")
  expect_error(knit_lines(sets_daemon(file), chunk("stop('no luck')")),
               "no luck")
  expect_false(daemons_set("report"))
  expect_true(wait_for(function() !is_running(scan(file, quiet = TRUE))))
})

test_that("a document that does not fail keeps them, as the session does", {
  at_end(daemons(0, .compute = "report"))
  file <- file.path(set_folder(), "pid")
  knit_lines(sets_daemon(file), "text", chunk("try(stop('no luck'))"),
             "```{r, error = TRUE}", "stop('none here')", "```")
  expect_true(daemons_set("report"))
  expect_true(is_running(scan(file, quiet = TRUE)))
})

test_that("daemons that were set before stay where a document fails", {
  set_daemons(1, .compute = "before")
  at_end(daemons(0, .compute = "report"))
  file <- file.path(set_folder(), "pid")
  expect_error(knit_lines(chunk("daemons(1, .compute = 'before')"),
                          sets_daemon(file), chunk("stop('no luck')")),
               "no luck")
  expect_true(daemons_set("before"))
  expect_false(daemons_set("report"))
  expect_identical(value_of(mirai(1, .compute = "before")), 1)
})

test_that("a child that fails is a document that fails", {
  at_end(daemons(0, .compute = "report"))
  folder <- set_folder()
  file <- file.path(folder, "pid")
  child <- file.path(folder, "child.Rmd")
  writeLines(c(sets_daemon(file)), child)
  parent <- c(sprintf("```{r, child = '%s'}", child), "```")
  knit_lines(parent)
  expect_true(daemons_set("report"))
  daemons(0, .compute = "report")
  expect_error(knit_lines(parent, chunk("stop('no luck')")), "no luck")
  expect_false(daemons_set("report"))
})

test_that("a session that ends with its document leaves no process", {
  skip_if_not_installed("rmarkdown")
  skip_if_not(rmarkdown::pandoc_available())
  folder <- set_folder()
  file <- file.path(folder, "pids")
  document <- file.path(folder, "report.Rmd")
  writeLines(c(
    "---", "output: html_document", "---",
    chunk("library(tenkai)", "daemons(2)",
          "pids <- c(nextget('pid'), unlist(mirai_map(1:2, function(i) {",
          "  Sys.sleep(0.1)", "  Sys.getpid()", "})[]))",
          sprintf("writeLines(as.character(pids), '%s')", file),
          "waits <- mirai(Sys.sleep(600))"),
    chunk("stop('no luck')")
  ), document)
  said <- run_session(sprintf("rmarkdown::render('%s', quiet = TRUE)",
                              document))
  expect_match(said, "no luck", all = FALSE)
  pids <- scan(file, 0L, quiet = TRUE)
  expect_gte(length(pids), 2L)
  expect_true(wait_for(function() !any(vapply(pids, is_running, NA))))
})

test_that("sessions that knit the same document at once do it each by itself", {
  folder <- set_folder()
  document <- file.path(folder, "report.Rmd")
  writeLines(c(
    chunk("library(tenkai)", "daemons(1)", "own <- as.character(Sys.getpid())",
          "mirai(writeLines(own, paste0('begun-', own)), own = own)[]",
          "while (length(dir(pattern = 'begun')) < 2L) Sys.sleep(0.02)"),
    chunk("if (fails) stop('no luck')",
          "while (!file.exists('ended')) Sys.sleep(0.02)"),
    chunk("x <- mirai(own, own = own)[]", "stopifnot(x == own)",
          "writeLines('done', 'done')")
  ), document)
  begin <- function(fails, frame = parent.frame()) {
    start_session(c(sprintf("setwd('%s')", folder),
                    sprintf("fails <- %s", fails),
                    "knitr::opts_chunk$set(error = FALSE)",
                    sprintf("knitr::knit('%s', '%s.md', quiet = TRUE)",
                            document, fails)),
                  file.path(folder, paste0("output-", fails)), frame)
  }
  failing <- begin(TRUE)
  begin(FALSE)
  expect_true(wait_for(function() !is_running(failing)))
  file.create(file.path(folder, "ended"))
  expect_true(wait_for(function() file.exists(file.path(folder, "done"))))
})
