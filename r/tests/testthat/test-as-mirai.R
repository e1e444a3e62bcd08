# Takes long: not with scripts/test --quick.
# use_as_mirai(): the package mirai in the place of another.

skip_without_source <- function() {
  skip_if_not(nzchar(tryCatch(source_as_mirai(dirname(dirname(find_program()))),
                              error = function(condition) "")))
}

# What a fresh R prints that evaluates `code`; its caches are a folder of the test.
in_session <- function(code, environment = character(), frame = parent.frame()) {
  cache <- paste0("R_USER_CACHE_DIR=", set_folder(frame))
  run_session(code, c(environment, cache))
}

test_that("code of mirai runs on the daemons of tenkai", {
  skip_without_source()
  said <- in_session(c(
    "tenkai::use_as_mirai()",
    "library(mirai)",
    "print(daemons(1))",
    "n <- launch_local(1)",
    "while (status()$connections < 2L) Sys.sleep(0.05)",
    "print(mirai_map(1:3, function(x) x + 1)[.flat])",
    "print(identical(info(), tenkai::info()))",
    "print(daemons(2, dispatcher = FALSE))",
    "print(names(status()))",
    "print(daemons(0))"
  ))
  expect_match(said[1L], "the package mirai is tenkai's")
  expect_identical(tail(said, -1L), c(
    "[1] TRUE", "[1] 2 3 4", "[1] TRUE", "[1] TRUE",
    "[1] \"connections\" \"daemons\"    ", "[1] FALSE"
  ))
})

test_that("values are shown, counted and left out as mirai does", {
  skip_without_source()
  said <- in_session(c(
    "tenkai::use_as_mirai()", "library(mirai)",
    "invisible(daemons(sync = TRUE))",
    "cat(unlist(lapply(status(), class)), status()$connections, '\\n')",
    "cat(info(), '\\n')",
    "invisible(daemons(url = local_url()))",
    "cat(withVisible(launch_local(2))$visible, '\\n')",
    "cat(withVisible(race_mirai(mirai(1)))$visible, '\\n')"
  ))
  expect_identical(tail(said, 4L), c("integer character 0 ", "0 NA NA NA NA ",
                                     "TRUE ", "FALSE "))
})

test_that("a command of launch_remote() can be sent to the background", {
  skip_without_source()
  said <- in_session(c(
    "tenkai::use_as_mirai()", "library(mirai)",
    "invisible(daemons(url = 'tcp://127.0.0.1:0'))",
    "system(launch_remote(1), wait = FALSE)",
    "cat(mirai(6 * 7, .timeout = 60000)[])"
  ))
  expect_identical(tail(said, 1L), "42")
})

test_that("tasks find it on daemons from elsewhere, and on those before it", {
  skip_without_source()
  where <- "mirai(dirname(find.package('mirai')), .timeout = 60000)[]"
  said <- in_session(c(
    "invisible(tenkai::daemons(1))",
    "library <- suppressMessages(tenkai::use_as_mirai())", "library(mirai)",
    paste("cat(identical(library,", where, "), '\\n')"),
    "for (dispatcher in c(TRUE, FALSE)) {",
    "  invisible(daemons(url = local_url(), dispatcher = dispatcher))",
    "  system(launch_remote(1), wait = FALSE)",
    paste("  cat(identical(library,", where, "), '\\n')"),
    "}"
  ))
  expect_identical(tail(said, 3L), rep("TRUE ", 3L))
})

test_that("the environment does the same, and a second call nothing", {
  said <- in_session(c("library(tenkai)", "library <- use_as_mirai()",
                       "cat(dirname(find.package('mirai')) == library, '\\n')",
                       "cat(is.function(mirai::try_mirai))"),
                     "TENKAI_AS_MIRAI=1")
  expect_identical(tail(said, 2L), c("TRUE ", "TRUE"))
  expect_length(grep("the package mirai is tenkai's", said), 1L)
})

test_that("the real package is never replaced where it is loaded", {
  library <- set_folder()
  dir.create(file.path(library, "src", "mirai"), recursive = TRUE)
  writeLines(c("Package: mirai", "Version: 2.7.3", "Title: T", "License: MIT"),
             file.path(library, "src", "mirai", "DESCRIPTION"))
  writeLines("", file.path(library, "src", "mirai", "NAMESPACE"))
  output_of(file.path(R.home("bin"), "R"),
            c("CMD", "INSTALL", "-l", shQuote(library),
              shQuote(file.path(library, "src", "mirai"))))
  said <- in_session(c(
    sprintf("loadNamespace('mirai', lib.loc = '%s')", library),
    "said <- tryCatch(tenkai::use_as_mirai(), error = identity)",
    "cat(class(said)[1], conditionMessage(said), sep = '\\n')"
  ))
  expect_match(said, "tenkai_mirai_is_loaded", all = FALSE)
  expect_match(said, "is loaded already.*start R again", all = FALSE)
})

test_that("requests over HTTP hold what a daemon evaluates, as JSON", {
  skip_without_source()
  said <- in_session(c(
    "library <- suppressMessages(tenkai::use_as_mirai())",
    "writeLines(mirai:::bodies('{\"do\": \"%s\", \"share\": \"100%%\"}',",
    "                          c('f(\"a\\\\b\\n\")', 'g()')))",
    "writeLines(mirai:::bodies('%%s is no place', 'f()'))"
  ))
  expect_identical(tail(said, 3L), c(
    "{\"do\": \"f(\\\"a\\\\b\\n\\\")\", \"share\": \"100%\"}",
    "{\"do\": \"g()\", \"share\": \"100%\"}", "%s is no place"
  ))
})

test_that("launching over HTTP says what it needs, and what is not there", {
  skip_without_source()
  said <- in_session(c(
    "suppressMessages(tenkai::use_as_mirai())", "library(mirai)",
    "said <- function(e) cat(tryCatch(e, error = conditionMessage), '\\n')",
    "said(require_daemons())", "said(require_daemons('gpu'))",
    "invisible(daemons(url = 'tcp://127.0.0.1:0'))",
    "said(launch_remote(1, remote = http_config('http://127.0.0.1:1', data = '%s')))",
    "said(launch_remote(1, remote = http_config()))"
  ), c("RS_SERVER_ADDRESS=", "R_LIBS_SITE="))
  expect_match(said, "^No daemons set[.]$", all = FALSE)
  expect_match(said, "^No daemons set for the 'gpu' compute profile[.]$", all = FALSE)
  skip_if(requireNamespace("nanonext", quietly = TRUE), "nanonext is installed")
  expect_match(said, "by the HTTP client of package nanonext, which is not installed",
               all = FALSE)
})
