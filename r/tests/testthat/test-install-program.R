# What the program of one file is checked for before it is installed.

script <- function(folder, text, name = "tenkai-0-linux") {
  file <- file.path(folder, name)
  writeLines(c("#!/bin/sh", text), file)
  file
}
in_own_data <- function() {
  old <- Sys.getenv("R_USER_DATA_DIR", NA)
  folder <- tempfile("data")
  Sys.setenv(R_USER_DATA_DIR = folder)
  list(folder = folder, end = function() {
    if (is.na(old)) Sys.unsetenv("R_USER_DATA_DIR") else
      Sys.setenv(R_USER_DATA_DIR = old)
  })
}

test_that("a program whose hash is right is installed, and found", {
  data <- in_own_data()
  on.exit(data$end())
  folder <- tempfile("release")
  dir.create(folder)
  file <- script(folder, paste("echo", tenkai:::version()))
  expect_error(install_program(file), "there is no SHA-256 for")
  writeLines(paste0(strrep("0", 64L), "  ", basename(file)),
             file.path(folder, "SHA256SUMS"))
  expect_error(install_program(file), "is not what it should be")
  writeLines(paste0(tenkai:::hash_of(file), "  ", basename(file)),
             file.path(folder, "SHA256SUMS"))
  expect_message(path <- install_program(file), "installed tenkai")
  expect_true(startsWith(path, data$folder))
  expect_identical(unname(tenkai:::program_places()["by install_program()"]),
                   path)
  expect_identical(system2(path, stdout = TRUE), tenkai:::version())
  expect_identical(list.files(dirname(path)), "tenkai")
})

test_that("a program that does not fit or does not run leaves what was there", {
  data <- in_own_data()
  on.exit(data$end())
  folder <- tempfile("release")
  dir.create(folder)
  good <- script(folder, paste("echo", tenkai:::version()))
  path <- suppressMessages(install_program(good, tenkai:::hash_of(good)))
  other <- script(folder, "echo 9.9.9", "other")
  expect_error(install_program(other, tenkai:::hash_of(other)),
               "is tenkai 9.9.9, this package is")
  broken <- script(folder, "exit 3", "broken")
  expect_error(install_program(broken, tenkai:::hash_of(broken)),
               "does not run on this machine")
  expect_error(install_program(file.path(folder, "nowhere"), strrep("0", 64L)),
               "cannot be read")
  expect_error(install_program(good, "12"), "64 hexadecimal digits")
  expect_error(install_program("http://localhost/x", strrep("0", 64L)),
               "by https")
  expect_identical(system2(path, stdout = TRUE), tenkai:::version())
  expect_identical(list.files(dirname(path)), "tenkai")
})

test_that("a file of hashes is read by its lines", {
  hash <- strrep("a1", 32L)
  lines <- c("", "# no hash", paste0(hash, " *other"), paste0(hash, "  one"))
  expect_identical(tenkai:::hash_in(lines, "one"), hash)
  expect_identical(tenkai:::hash_in(lines, "other"), hash)
  expect_identical(tenkai:::hash_in(lines, "two"), NA_character_)
  expect_identical(tenkai:::hash_in("12  one", "one"), NA_character_)
})
