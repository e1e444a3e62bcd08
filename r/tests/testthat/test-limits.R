# What is scarce: descriptors, files, room for both.

large <- c(
  "library(tenkai)",
  "payload <- as.raw(rep(1:5, 25e4))",
  "works <- function(n) {",
  "  tasks <- lapply(seq_len(n), function(i) mirai(rev(x), x = payload))",
  "  values <- lapply(tasks, function(m) call_mirai(m)$data)",
  "  all(vapply(values, identical, NA, rev(payload)))",
  "}"
)

# R does not start with less than 256 descriptors, but goes on with fewer.
fill <- c(
  "fill <- function() {",
  "  system(paste('prlimit --nofile=60 --pid', Sys.getpid()))",
  "  kept <- list()",
  "  suppressWarnings(try(repeat {",
  "    kept[[length(kept) + 1L]] <- file('/dev/null', 'r')",
  "  }, silent = TRUE))",
  "  assign('kept_open', kept, globalenv())",
  "  length(kept) > 9",
  "}"
)

test_that("a session without a free descriptor sends and takes large values", {
  skip_if(!nzchar(Sys.which("prlimit")), "prlimit is not installed")
  said <- run_session(c(large, fill, "invisible(daemons(1))", "works(1)",
                        "fill()", "works(20)"))
  expect_identical(said, rep("[1] TRUE", 3))
})

test_that("a daemon whose task has left it no descriptor takes large ones", {
  skip_if(!nzchar(Sys.which("prlimit")), "prlimit is not installed")
  said <- run_session(c(large, fill, "invisible(daemons(1, cleanup = FALSE))",
                        "call_mirai(mirai(fill(), fill = fill))$data",
                        "works(5)"))
  expect_identical(said, rep("[1] TRUE", 2))
})

test_that("a session is told why its dispatcher has ended", {
  skip_if(!nzchar(Sys.which("prlimit")), "prlimit is not installed")
  # UBSan looks at objects through a pipe, and takes its want for an error.
  skip_if(nzchar(Sys.getenv("UBSAN_OPTIONS")), "a sanitizer needs descriptors")
  said <- run_session(c(
    large, "invisible(daemons(1))",
    "hold <- mirai(Sys.sleep(60))",
    "system(paste('prlimit --nofile=10:10 --pid', nextget('pid')))",
    "m <- mirai(x, x = payload)",
    "print(c(call_mirai(m)$data))",
    "cat(attr(m$data, 'message'))"
  ))
  expect_match(said[1L], "[1] 19", fixed = TRUE)
  expect_match(said[2L], "exited with code 1: .*21 [|] Out of files: .*ulimit -n")
})

test_that("where files may not grow large payloads stay in memory", {
  said <- run_session(c(large, "invisible(daemons(1))", "works(2)"),
                      first = "ulimit -f 1000")
  expect_identical(said, "[1] TRUE")
})

test_that("more daemons than there are descriptors for are refused at once", {
  said <- run_session("library(tenkai); daemons(200)", first = "ulimit -n 256")
  expect_match(said[1L], "21 | Out of files: 616 descriptors are needed",
               fixed = TRUE)
  expect_match(paste(said, collapse = " "), "ulimit -n", fixed = TRUE)
})

test_that("everywhere() has no limit of its own", {
  set_daemons(1)
  for (i in seq_len(1200)) everywhere(limits_value <- i, i = i)
  expect_identical(evaluated(limits_value), 1200L)
})

test_that("an everywhere() that cannot be kept is an error, and tasks go on", {
  set_daemons(1, memory = 1e5)
  everywhere(limits_kept <- length(x), x = raw(6e4))
  expect_error(everywhere(limits_kept <- length(x), x = raw(5e4)),
               "everywhere\\(\\) was not run: .*limit of 100000 bytes")
  expect_identical(evaluated(limits_kept), 60000L)
  tasks <- lapply(1:5, function(i) mirai(length(x), x = raw(8e4)))
  expect_identical(vapply(tasks, value_of, 0L), rep(80000L, 5))
})
