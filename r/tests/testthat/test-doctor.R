# What doctor() returns and prints; what it finds is tested in tests/flows.

test_that("a healthy session has a row for each check, and nothing wrong", {
  found <- doctor()
  expect_s3_class(found, "tenkaiDoctor")
  expect_identical(names(found), c("id", "what", "state", "sentence", "mend"))
  expect_identical(found$id[1:2], c("session.package", "session.program"))
  expect_true(all(c("program", "r", "r.package") %in% found$id))
  expect_false(any(found$state == "wrong"))
})

test_that("it prints a line for each check, and what mends it", {
  rows <- list(c("a", "this", "ok", "works"),
               c("b.c", "that", "wrong", "does not", "mend it"))
  found <- checks_of(rows)
  expect_identical(capture.output(print(found)), c(
    "ok       a    this: works",
    "wrong    b.c  that: does not",
    "              mend: mend it",
    "1 wrong"
  ))
  expect_identical(capture.output(print(found[1L, ])),
                   c("ok       a  this: works", "nothing is wrong"))
})

test_that("a session without a program is told so, and nothing else", {
  lines <- run_session("x <- tenkai::doctor(); cat(x$state, x$mend, sep = '|')",
                       "TENKAI_BIN=/no/such/tenkai")
  expect_match(lines[length(lines)], "^ok\\|wrong\\|\\|Sys.setenv\\(TENKAI_BIN")
})

test_that("a profile has to be one name", {
  expect_error(doctor(profile = 1), "profile")
  found <- doctor("no such profile")
  expect_identical(found$state[found$id == "profile.known"], "wrong")
})
