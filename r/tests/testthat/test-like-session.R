# Takes long: not with scripts/test --quick.
# Local daemons are like the session: what it was when daemons() was called, and
# not what a start-up file says.

# A home whose start-up files say something, for run_session().
set_home <- function(profile = NULL, environ = NULL, frame = parent.frame()) {
  home <- set_folder(frame)
  if (!is.null(profile)) writeLines(profile, file.path(home, ".Rprofile"))
  if (!is.null(environ)) writeLines(environ, file.path(home, ".Renviron"))
  paste0("HOME=", home)
}

# What `seen` is in one daemon after the other: of daemons(), one that came in its
# place, at a network URL, alone, and without daemons(). `later` comes after
# daemons(), and what is without daemons() behind `back`.
in_all_daemons <- function(before, seen, later, back, environment,
                           begin = "library(tenkai)") {
  said <- run_session(c(
    begin,
    before,
    "see <- function(...) cat(call_mirai(mirai(", seen, ", ...))$data, '\\n')",
    "invisible(daemons(1))",
    "invisible(daemons(1, url = 'tcp://127.0.0.1:0', .compute = 'b'))",
    "invisible(daemons(n = 1, url = local_url(), .compute = 'c'))",
    later,
    "see()",
    "tools::pskill(call_mirai(mirai(Sys.getpid()))$data, 9)",
    "see()",
    "launch_local(1, .compute = 'b')",
    "see(.compute = 'b')",
    "launch_local(1, autoexit = FALSE, .compute = 'c')",
    "see(.compute = 'c')",
    "invisible(daemons(NULL, .compute = 'c'))",
    "see(.compute = 'none')",
    back,
    "see(.compute = 'none')"
  ), environment, "--no-save")
  sub(" $", "", said)
}

test_that("daemons are in the directory of the session", {
  folders <- file.path(normalizePath(set_folder()), 1:3)
  for (folder in folders) dir.create(folder)
  home <- set_home(sprintf("setwd('%s')", folders[3L]))
  seen <- in_all_daemons(sprintf("setwd('%s')", folders[1L]), "getwd()",
                         sprintf("setwd('%s')", folders[2L]),
                         sprintf("setwd('%s')", folders[1L]), home)
  expect_identical(seen, folders[c(1L, 1L, 1L, 1L, 2L, 1L)])
})

test_that("daemons have the libraries of the session, this package or not", {
  folders <- file.path(normalizePath(set_folder()), 1:3)
  for (folder in folders) dir.create(folder)
  # What is called before daemon() bears names that a user may give, too.
  home <- set_home(c(sprintf(".libPaths('%s', FALSE)", folders[3L]),
                     "sub <- strsplit <- function(...) stop('another one')"))
  turn_to <- function(i) sprintf(".libPaths('%s', FALSE)", folders[i])
  seen <- in_all_daemons(turn_to(1L), "basename(.libPaths())", turn_to(2L),
                         turn_to(1L), home,
                         sprintf("library(tenkai, lib.loc = '%s')",
                                 dirname(system.file(package = "tenkai"))))
  library <- basename(normalizePath(.Library))
  expect_identical(seen, paste(c(1L, 1L, 1L, 1L, 2L, 1L), library))
})

test_that("daemons whose directory is gone work", {
  folder <- set_folder()
  said <- run_session(c(
    "library(tenkai)",
    sprintf("setwd('%s')", folder),
    "invisible(daemons(1))",
    sprintf("unlink('%s', recursive = TRUE)", folder),
    "tools::pskill(call_mirai(mirai(Sys.getpid()))$data, 9)",
    "cat(call_mirai(mirai('again'))$data, '\\n')",
    "cat(call_mirai(mirai('ephemeral', .compute = 'none'))$data, '\\n')"
  ))
  expect_identical(grep("again|ephemeral", said, value = TRUE),
                   c("again ", "ephemeral "))
})

test_that("daemons have the time zone of the session", {
  home <- set_home(environ = "TZ=Asia/Tokyo")
  hour <- "format(as.POSIXct(0, origin = '1970-01-01'), '%H')"
  seen <- in_all_daemons("Sys.setenv(TZ = 'Africa/Cairo')", hour,
                         "Sys.setenv(TZ = 'UTC')",
                         "Sys.setenv(TZ = 'Africa/Cairo')", home)
  expect_identical(seen, c("02", "02", "02", "02", "00", "02"))
  seen <- in_all_daemons("Sys.unsetenv('TZ')", "Sys.getenv('TZ', 'none')",
                         "", "Sys.setenv(TZ = 'UTC')", home)
  expect_identical(seen, c(rep("none", 5L), "UTC"))
})

test_that("daemons have the locale of the session", {
  before <- Sys.getlocale("LC_COLLATE")
  known <- suppressWarnings(Sys.setlocale("LC_COLLATE", "C.UTF-8"))
  Sys.setlocale("LC_COLLATE", before)
  skip_if_not(nzchar(known), "there is no locale C.UTF-8")
  home <- set_home("invisible(Sys.setlocale('LC_COLLATE', 'POSIX'))")
  seen <- in_all_daemons("invisible(Sys.setlocale('LC_COLLATE', 'C.UTF-8'))",
                         "Sys.getlocale('LC_COLLATE')",
                         "invisible(Sys.setlocale('LC_COLLATE', 'C'))",
                         "invisible(Sys.setlocale('LC_COLLATE', 'C.UTF-8'))",
                         c(home, "LC_ALL=C"))
  expect_identical(seen, c(rep("C.UTF-8", 4L), "C", "C.UTF-8"))
})

# Options for the rest of a test.
set_options <- function(..., frame = parent.frame()) {
  before <- options(...)
  do.call(on.exit, list(bquote(options(.(before))), TRUE, FALSE), envir = frame)
}

test_that("daemons have the options that are asked for, and come back to them", {
  set_options(digits = 4L, scipen = 7L, OutDec = ",", warn = 1L,
              encoding = "UTF-8", tenkai.a = "a", tenkai.b = 1:3, other = "o")
  usual <- c("digits", "scipen", "OutDec", "warn", "encoding", "tenkai.a",
             "tenkai.b", "other")
  seen <- function(...) evaluated(options()[usual], usual = usual, ...)

  set_daemons(1, options = TRUE)
  ours <- options()[usual]
  expect_identical(seen()[1:7], ours[1:7])
  expect_null(evaluated(getOption("other")))

  set_daemons(1, options = c("other", "tenkai.*"), .compute = "b")
  expect_identical(seen(.compute = "b")[6:8], ours[6:8])
  expect_false(identical(seen(.compute = "b")$OutDec, ","))

  evaluated(options(digits = 9L, tenkai.a = NULL, other = "new"))
  expect_identical(seen()[1:7], ours[1:7])
  set_options(digits = 5L)
  expect_identical(seen()$digits, 4L)
})

test_that("options can be given as values", {
  set_daemons(1, options = list(digits = 3, mine = sum))
  expect_identical(evaluated(format(pi)), "3.14")
  expect_identical(evaluated(getOption("mine")), sum)
  expect_message(daemons(1, options = list(digits = 4)), "nothing was changed")
  expect_silent(daemons(1, options = list(digits = 3, mine = sum)))
})

test_that("daemons that come later or from elsewhere have these options, too", {
  for (dispatcher in c(TRUE, FALSE)) {
    set_daemons(n = 2, url = "tcp://127.0.0.1:0", dispatcher = dispatcher,
                options = list(digits = 3L))
    paste_into("sh", launch_remote(1))
    expect_identical(evaluated(getOption("digits")), 3L)
    pid <- evaluated(Sys.getpid())
    tools::pskill(pid, tools::SIGKILL)
    expect_true(wait_for(function() !is_running(pid)))
    launch_local(if (dispatcher) 2 else 1)
    seen <- evaluated(c(getOption("digits"), Sys.getpid()))
    expect_identical(seen[1L], 3L)
    expect_false(identical(seen[2L], pid))
    daemons(0)
  }
})

test_that("a daemon that is started again has these options", {
  set_daemons(1, options = list(digits = 3L))
  tools::pskill(evaluated(Sys.getpid()), tools::SIGKILL)
  expect_identical(evaluated(getOption("digits")), 3L)
})

test_that("options that are none of the session, or no options, are refused", {
  expect_error(daemons(1, options = "digit"), "'options' has the name \"digit\"")
  expect_error(daemons(1, options = 5), "'options' must be TRUE, names of opt")
  expect_error(daemons(1, options = list(5)), "all items in `options` must")
  expect_identical(status()$connections, 0L)
  set_daemons(1, options = FALSE)
  expect_identical(evaluated(1), 1)
})

test_that("daemons() in the start-up file of another machine sets none there", {
  home <- set_home(c("library(tenkai)", "daemons(1)",
                     "try(mirai('in a start-up file'))"))
  said <- run_session(c(
    "library(tenkai)",
    "invisible(daemons(1, url = 'tcp://127.0.0.1:0', .compute = 'b'))",
    "command <- unclass(launch_remote(1, .compute = 'b'))",
    # An R that has been a daemon says so to what it starts.
    "system2('env', c('-u', 'R_PROFILE_USER', '-u', 'TENKAI_DAEMON_STARTS', 'sh'),",
    "        input = sub('( &&)?\\n', ' >said 2>&1 &\\n', command))",
    "value <- function(m) call_mirai(m)$data",
    "value(mirai(status()$connections, .compute = 'b'))",
    "value(mirai({",
    "  daemons(1)",
    "  on.exit(daemons(0))",
    "  status()$connections",
    "}, .compute = 'b'))",
    "writeLines(readLines('said'))"
  ), home, "--no-init-file", first = paste("cd", shQuote(set_folder())))
  expect_identical(said[1:2], c("[1] 0", "[1] 1"))
  expect_match(paste(said[-(1:2)], collapse = "\n"),
               "tenkai: daemons\\(\\) in a start-up file .* is for sessions")
})

# A library with a package that writes in all ways when it is loaded or attached.
noisy_library <- function(frame = parent.frame()) {
  folder <- set_folder(frame)
  source <- file.path(folder, "source")
  dir.create(file.path(source, "R"), recursive = TRUE)
  writeLines(c("Package: noisy", "Version: 1.0", "Title: Writes", "License: MIT",
               "Description: Writes.", "Author: nobody",
               "Maintainer: nobody <nobody@example.org>"),
             file.path(source, "DESCRIPTION"))
  file.create(file.path(source, "NAMESPACE"))
  writeLines(c(sprintf(".onLoad <- function(libname, pkgname) {%s}", noise),
               sprintf(".onAttach <- function(libname, pkgname) {%s}", noise)),
             file.path(source, "R", "noisy.R"))
  said <- suppressWarnings(system2(
    file.path(R.home("bin"), "R"), stdout = TRUE, stderr = TRUE,
    c("CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", shQuote(folder),
      shQuote(source))
  ))
  if (!is.null(attr(said, "status"))) stop(paste(said, collapse = "\n"))
  folder
}

noise <- paste("cat('NOISE\\n'); print('NOISE'); message('NOISE')",
               "packageStartupMessage('NOISE'); warning('NOISE')",
               "system('echo NOISE; echo NOISE >&2')", sep = "; ")

test_that("nothing that start-up files and packages write comes to the session", {
  folder <- set_folder()
  profile <- file.path(folder, "profile.R")
  writeLines(c(noise, "sink(tempfile())", "options(digits = 3)",
               sprintf(".First <- .Last <- function() {%s}", noise)), profile)
  said <- run_session(c(
    "library(tenkai)",
    sprintf(".libPaths(c('%s', .libPaths()))", noisy_library()),
    sprintf("Sys.setenv(R_PROFILE_USER = '%s')", profile),
    "Sys.setenv(R_DEFAULT_PACKAGES = 'utils,stats,methods,noisy')",
    "see <- function(...) call_mirai(mirai(",
    "  c('noisy' %in% .packages(), getOption('digits')), ...))$data",
    "daemons(1)",
    "see()",
    "see(.compute = 'none')",
    "invisible(daemons(url = local_url(), .compute = 'b'))",
    "launch_local(1, .compute = 'b')",
    "see(.compute = 'b')",
    "daemons(0)",
    "Sys.setenv(R_DEFAULT_PACKAGES = 'utils,stats,methods', R_PROFILE_USER = '')",
    "daemons(1)",
    "attached <- function() {library(noisy); 'noisy' %in% .packages()}",
    "call_mirai(mirai(attached(), attached = attached))$data",
    "everywhere(library(noisy))",
    "call_mirai(mirai('noisy' %in% .packages()))$data",
    "daemons(0)"
  ))
  expect_identical(said, c("[1] 1", rep("[1] 1 3", 3L), "[1] 0", "[1] 1",
                           "[1] TRUE", "[1] TRUE", "[1] 0"))
})

test_that("an error in a start-up file is the reason why there is no daemon", {
  folder <- set_folder()
  profile <- file.path(folder, "profile.R")
  said <- run_session(c(
    "library(tenkai)",
    sprintf("Sys.setenv(R_PROFILE_USER = '%s')", profile),
    sprintf("writeLines('stop(\"of the profile\")', '%s')", profile),
    "cat(conditionMessage(tryCatch(daemons(1), error = identity)), '\\n')",
    "status()$connections",
    sprintf("writeLines('', '%s')", profile),
    "invisible(daemons(1))",
    "pid <- call_mirai(mirai(Sys.getpid()))$data",
    sprintf("writeLines('stop(\"of the profile\")', '%s')", profile),
    "writeLines('now')",
    "tools::pskill(pid, 9)",
    "for (i in 1:600) {",
    "  withCallingHandlers(status(), message = function(m) {",
    "    if (grepl('of the profile', conditionMessage(m))) quit()",
    "  })",
    "  Sys.sleep(0.1)",
    "}",
    "writeLines('never told')"
  ))
  before <- said[seq_len(match("now", said))]
  expect_match(before, "Error: of the profile", all = FALSE)
  expect_true("[1] 0" %in% before)
  expect_false("never told" %in% said)
})

test_that("options that cannot be are an error, and change nothing", {
  before <- options()
  expect_error(daemons(1, options = list(other = 1, digits = 999)),
               "'options' cannot be set: .*digits")
  expect_false(daemons_set())
  expect_identical(options(), before)
  set_daemons(1, options = list(digits = 3))
  expect_identical(options(), before)
})
