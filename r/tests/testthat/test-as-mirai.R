# use_as_mirai(): the package mirai in the place of another.

# What a fresh R prints that evaluates `code`; its caches are a folder of the test.
in_session <- function(code, environment = character(), frame = parent.frame()) {
  cache <- paste0("R_USER_CACHE_DIR=", set_folder(frame))
  run_session(code, c(environment, cache))
}

test_that("code of mirai runs on the daemons of tenkai", {
  skip_if_not(nzchar(tryCatch(source_as_mirai(dirname(dirname(find_program()))),
                              error = function(condition) "")))
  said <- in_session(c(
    "tenkai::use_as_mirai()",
    "library(mirai)",
    "print(daemons(1))",
    "launch_local(1)",
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
