# Takes long: not with scripts/test --quick.
# Finding the program, and what happens where it is missing or another one.

try_daemons <- c(
  "library(tenkai)",
  "r <- tryCatch(daemons(1), error = conditionMessage)",
  "cat(r, '\\n')",
  "m <- tryCatch(mirai(1), error = conditionMessage)",
  "cat(if (is.character(m)) m else 'no error', '\\n')",
  "cat('connections', status()$connections, '\\n')"
)

fake_program <- function(lines, frame = parent.frame()) {
  path <- file.path(set_folder(frame), "tenkai")
  writeLines(c("#!/bin/sh", lines), path)
  Sys.chmod(path, "755")
  path
}

test_that("a program that is missing is said, with what to do", {
  lines <- run_session(try_daemons, "TENKAI_BIN=/no/such/tenkai")
  expect_true(any(grepl("TENKAI_BIN names '/no/such/tenkai', which is not an",
                        lines, fixed = TRUE)))
  expect_true("connections 0 " %in% lines)
})

test_that("a program that was never found says where it was looked for", {
  folder <- set_folder()
  file.copy(system.file(package = "tenkai"), folder, recursive = TRUE)
  unlink(file.path(folder, "tenkai", "program"))
  lines <- run_session(
    c(sprintf(".libPaths('%s')", folder),
      sprintf("library(tenkai, lib.loc = '%s')", folder),
      "r <- tryCatch(daemons(1), error = conditionMessage)", "cat(r, '\\n')"),
    c("TENKAI_BIN=", "PATH=/usr/bin:/bin")
  )
  skip_if(nzchar(unname(Sys.which("tenkai"))), "tenkai is on PATH")
  expect_true(any(grepl("the program 'tenkai' was not found", lines,
                        fixed = TRUE)))
  expect_true(any(grepl("TENKAI_BIN", lines, fixed = TRUE)))
})

test_that("a program that is no dispatcher is an error at once", {
  for (body in c("exit 0", "exit 3", "echo nonsense", "kill -SEGV $$")) {
    lines <- run_session(try_daemons, paste0("TENKAI_BIN=", fake_program(body)))
    expect_true(any(grepl("did not answer like a dispatcher of tenkai", lines,
                          fixed = TRUE)), info = body)
    expect_true("connections 0 " %in% lines)
  }
})

test_that("garbage from the program is an error at once", {
  for (body in c("head -c 100000 /dev/urandom >&3", "printf 'Tk\\001\\002' >&3",
                 "yes >&3")) {
    lines <- run_session(try_daemons, paste0("TENKAI_BIN=", fake_program(body)))
    said <- "did not answer like a dispatcher|link to the dispatcher"
    expect_true(any(grepl(said,
                          lines)), info = body)
  }
})

# WELCOME (2) or REFUSED (3) of a program of another version, as octal escapes.
greeting <- function(type, version) {
  key <- 2L
  text <- charToRaw(version)
  attribute <- c(writeBin(c(key, length(text)), raw(), size = 2,
                          endian = "little"), text)
  head <- raw(48)
  head[1:4] <- c(charToRaw("Tk"), as.raw(c(1, type)))
  head[5:8] <- writeBin(length(attribute), raw(), size = 4, endian = "little")
  octal <- format(as.octmode(as.integer(c(head, attribute))), width = 3)
  paste0("\\", octal, collapse = "")
}

test_that("a program of another version is refused by both numbers", {
  for (type in 2:3) {
    program <- fake_program(c(sprintf("printf '%s' >&3",
                                      greeting(type, "9.8.7")), "sleep 1"))
    lines <- run_session(try_daemons, paste0("TENKAI_BIN=", program))
    expect_true(any(grepl(paste0(
      "is version 9.8.7, this package is ", packageVersion("tenkai"),
      ": install both from the same release"
    ), lines, fixed = TRUE)), info = type)
    expect_true("connections 0 " %in% lines)
  }
})

test_that("a network daemon refuses a program of another version", {
  program <- fake_program("echo tenkai 9.8.7")
  lines <- run_session("tenkai::daemon('tcp://127.0.0.1:1')",
                       paste0("TENKAI_BIN=", program))
  expect_true(any(grepl("is version 9.8.7", lines, fixed = TRUE)))
})

test_that("a start-up file of the working directory is read if it is ours", {
  folder <- set_folder()
  profile <- file.path(folder, ".Rprofile")
  writeLines("options(tenkai_profile = 'read')", profile)
  # A session with --vanilla says in its environment that nothing is to be read.
  seen <- function() {
    lines <- run_session(c(
      sprintf("setwd('%s')", folder),
      "library(tenkai)",
      "invisible(daemons(1))",
      "m <- mirai(getOption('tenkai_profile', 'not read'))",
      "cat('profile', call_mirai(m)$data)"
    ), options = "--no-save")
    sub("^profile ", "", grep("^profile ", lines, value = TRUE))
  }

  expect_identical(seen(), "read")
  Sys.chmod(profile, "666", use_umask = FALSE)
  expect_identical(seen(), "not read")
})

test_that("daemons() in .Rprofile sets daemons for sessions, not for daemons", {
  folder <- set_folder()
  writeLines(c("library(tenkai)", "invisible(daemons(1))", "after <- TRUE"),
             file.path(folder, ".Rprofile"))
  old <- setwd(folder)
  at_end(setwd(old))
  said <- run_session(c(
    "value <- function(m) call_mirai(m)$data",
    "value(mirai(c(after, 'tenkai' %in% loadedNamespaces())))",
    "sum(status()$daemons[, 'online'])",
    "value(mirai(value(mirai('nested')), value = value))",
    "value(mirai({",
    "  daemons(1)",
    "  on.exit(daemons(0))",
    "  value(mirai('on a daemon of its own'))",
    "}, value = value))"
  ), options = "--no-environ --no-site-file")
  expect_identical(said, c("[1] TRUE TRUE", "[1] 1", "[1] \"nested\"",
                           "[1] \"on a daemon of its own\""))
})

test_that("a session whose standard descriptors are closed has daemons", {
  folder <- set_folder()
  script <- file.path(folder, "script.R")
  writeLines(c(
    sprintf(".libPaths('%s')", .libPaths()[1L]),
    "library(tenkai)", "invisible(daemons(1))", "print('to nobody')",
    sprintf("writeLines(call_mirai(mirai('works'))$data, '%s/value')", folder)
  ), script)
  system(paste("timeout 120", file.path(R.home("bin"), "Rscript"), "--vanilla",
               script, "<&- >&- 2>&-"))
  expect_identical(readLines(file.path(folder, "value")), "works")
})

test_that("any text travels in a field or a row, and comes out as it went in", {
  fields <- list(a = c("two\nlines", "100%25\t"), b = NULL, c = "x=y", a = "")
  expect_identical(tenkai:::fields_of(tenkai:::lines_of(fields)),
                   c(a = "two\nlines", a = "100%25\t", c = "x=y", a = ""))
  expect_identical(tenkai:::lines_of(list(a = NULL)), "")
  expect_identical(tenkai:::rows_of("1\ta%0Ab\n2\t%25\n"),
                   list(c("1", "a\nb"), c("2", "%")))
  pairs <- tenkai:::pairs_of(list(a = TRUE, b = NA, c = 1e5, d = c("x", "y=z")))
  expect_identical(pairs, c("a=TRUE", "b=NA", "c=100000", "d=x", "d=y=z"))
  expect_identical(tenkai:::from_pairs(pairs)$d, c("x", "y=z"))
  expect_identical(tenkai:::value_text(NA), "NA")
})
