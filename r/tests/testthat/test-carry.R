# carry(): a description for the real mirai.

test_that("it is what mirai::daemons(remote =) takes", {
  remote <- carry("g p u", rscript = "/opt/R/bin/Rscript")
  expect_identical(names(remote), c("command", "args", "rscript", "quote", "tunnel"))
  expect_identical(remote$command, find_program())
  expect_identical(remote$args, c("carry", "--profile", "'g p u'", "--session",
                                  as.character(Sys.getpid()), "."))
  expect_identical(remote[c("rscript", "quote", "tunnel")],
                   list(rscript = "/opt/R/bin/Rscript", quote = TRUE, tunnel = FALSE))
  expect_error(carry(1), "'profile' must be")
  expect_error(carry("gpu", NA), "'rscript' must be")
})
