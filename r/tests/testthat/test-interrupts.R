# Takes long: not with scripts/test --quick.
# Ctrl-C at any moment: the session stays usable, and no daemon ends.

# Sends SIGINT to `pid` at `n` random moments.
interrupt_often <- function(pid, n, longest) {
  set.seed(NULL)
  for (i in seq_len(n)) {
    Sys.sleep(runif(1, 0, longest))
    if (!tools::pskill(pid, tools::SIGINT)) return(i)
  }
  n
}

test_that("200 interrupts in a busy session leave it and its daemons usable", {
  folder <- set_folder()
  output <- file.path(folder, "output")
  state <- function(name) file.path(folder, name)
  # The loop is in a function whose handler takes whatever comes at any moment.
  pid <- start_session(c(
    "library(tenkai)",
    sprintf("folder <- '%s'", folder),
    "invisible(daemons(2))",
    "value_of <- function(m) call_mirai(m)$data",
    "pids <- unlist(collect_mirai(everywhere({ Sys.getpid() }, .min = 2)))",
    "caught <- wrong <- 0L",
    "calls <- list(",
    "  function() { x <- value_of(mirai({ Sys.sleep(0.01); 7 }))",
    "    if (!identical(x, 7)) wrong <<- wrong + 1L },",
    "  function() { x <- status()$daemons",
    "    if (!is.matrix(x)) wrong <<- wrong + 1L },",
    "  function() everywhere(x <- 1),",
    "  function() for (i in 1:20) mirai(i, .args = list(i = i)),",
    "  function() { m <- mirai(Sys.sleep(0.02)); stop_mirai(m) },",
    "  function() { x <- value_of(mirai(length(x), x = numeric(2e5)))",
    "    if (!identical(x, 200000L)) wrong <<- wrong + 1L },",
    "  function() { daemons(1, .compute = 'b'); daemons(0, .compute = 'b') }",
    ")",
    "once <- function(i) tryCatch(calls[[i %% length(calls) + 1L]](),",
    "  interrupt = function(c) caught <<- caught + 1L)",
    "i <- 0L",
    # An interrupt outside of both handlers would end this script, whatever it calls: it
    # counts within them alone.
    "caught_or <- function(body) tryCatch(allowInterrupts(body()),",
    "  interrupt = function(c) NULL)",
    "suspendInterrupts({",
    "  file.create(file.path(folder, 'ready'))",
    "  while (!file.exists(file.path(folder, 'enough')))",
    "    caught_or(function() while (!file.exists(file.path(folder, 'enough'))) {",
    "      i <<- i + 1L; once(i) })",
    # The last ones may still be on their way.
    "  caught_or(function() Sys.sleep(1))",
    "  caught_or(function() NULL)",
    "})",
    "now <- sort(unique(unlist(lapply(1:40, function(i)",
    "  value_of(mirai({ Sys.sleep(0.01); Sys.getpid() }))))))",
    "cat('wrong', wrong, '\\n')",
    "cat('same daemons', all(now %in% pids), '\\n')",
    "cat('answer', value_of(mirai(6 * 7)), '\\n')",
    "cat('instances', status()$daemons[, 'instance'], '\\n')",
    "cat('caught some', caught > 20, '\\n')",
    "daemons(0)",
    "cat('the end\\n')"
  ), output)
  expect_true(wait_for(function() file.exists(state("ready"))))
  sent <- interrupt_often(pid, 250, 0.06)
  file.create(state("enough"))
  ended <- wait_for(function() any(readLines(output) == "the end"))
  lines <- readLines(output)

  expect_identical(sent, 250)
  expect_true(ended, info = paste(lines, collapse = "\n"))
  expect_true("wrong 0 " %in% lines, info = paste(lines, collapse = "\n"))
  expect_true("same daemons TRUE " %in% lines,
              info = paste(lines, collapse = "\n"))
  expect_true("answer 42 " %in% lines)
  expect_true("instances 1 1 " %in% lines)
  expect_true("caught some TRUE " %in% lines)
})

test_that("an interrupted call_mirai() leaves the mirai valid", {
  folder <- set_folder()
  output <- file.path(folder, "output")
  pid <- start_session(c(
    "library(tenkai)",
    sprintf("folder <- '%s'", folder),
    "invisible(daemons(1))",
    "for (wait in list(call_mirai, call_mirai_)) {",
    "  m <- mirai({ while (!file.exists(file.path(folder, 'go')))",
    "               Sys.sleep(0.02)",
    "    42 },",
    "             folder = folder)",
    "  r <- tryCatch({",
    "    file.create(file.path(folder, 'waiting'))",
    "    wait(m)",
    "    'not' },",
    "                interrupt = function(c) 'interrupted')",
    "  cat(r, unresolved(m), '\\n')",
    "  file.create(file.path(folder, 'go'))",
    "  cat(call_mirai(m)$data, '\\n')",
    "  unlink(file.path(folder, 'go'))",
    "}",
    "cat('the end\\n')"
  ), output)
  for (i in 1:2) {
    expect_true(wait_for(function() file.exists(file.path(folder, "waiting"))))
    unlink(file.path(folder, "waiting"))
    expect_true(wait_for(function() is_asleep(pid)))
    tools::pskill(pid, tools::SIGINT)
  }
  expect_true(wait_for(function() any(readLines(output) == "the end")))
  expect_identical(readLines(output),
                   c(rep(c("interrupted TRUE ", "42 "), 2), "the end"))
})

test_that("mirai() that waits for memory can be interrupted", {
  folder <- set_folder()
  output <- file.path(folder, "output")
  pid <- start_session(c(
    "library(tenkai)",
    sprintf("folder <- '%s'", folder),
    "invisible(daemons(1, memory = 1e6))",
    "m <- mirai({ Sys.sleep(600); x }, x = numeric(1e5))",
    "invisible(file.create(file.path(folder, 'waiting')))",
    "r <- tryCatch({ mirai(x, x = numeric(1e5)); 'not' },",
    "              interrupt = function(c) 'interrupted')",
    "cat(r, '\\n')",
    "stop_mirai(m)",
    "cat(call_mirai(mirai(length(x), x = numeric(1e5)))$data, '\\n')",
    "cat('the end\\n')"
  ), output)
  expect_true(wait_for(function() file.exists(file.path(folder, "waiting"))))
  expect_true(wait_for(function() is_asleep(pid)))
  tools::pskill(pid, tools::SIGINT)
  expect_true(wait_for(function() any(readLines(output) == "the end")))
  expect_identical(readLines(output), c("interrupted ", "100000 ", "the end"))
})

test_that("interrupts at random moments never end a daemon", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  kinds <- c(interrupted = 0, value = 0)
  set.seed(NULL)
  for (i in 1:200) {
    m <- mirai({ x <- 0; for (j in 1:2000) x <- x + j; x })
    Sys.sleep(runif(1, 0, 0.004))
    tools::pskill(pid, tools::SIGINT)
    value <- value_of(m)
    kind <- if (is_mirai_interrupt(value)) "interrupted" else "value"
    if (kind == "value") expect_identical(value, 2001000, info = printed(value))
    kinds[kind] <- kinds[kind] + 1
  }

  expect_identical(evaluated(Sys.getpid()), pid)
  expect_identical(unname(status()$daemons[, "instance"]), 1L)
  expect_gt(kinds["value"], 0)
})

test_that("mirais stopped at random moments hit neither daemon nor next task", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  set.seed(NULL)
  for (i in 1:200) {
    m <- mirai({ x <- 0; for (j in 1:2000) x <- x + j; x })
    follower <- mirai({ y <- 0; for (j in 1:500) y <- y + j; y })
    Sys.sleep(runif(1, 0, 0.004))
    stop_mirai(m)
    expect_identical(value_of(follower), 125250)
  }
  expect_identical(evaluated(Sys.getpid()), pid)
  expect_identical(unname(status()$daemons[, "instance"]), 1L)
})

test_that("a task that is stopped when its daemon has just come ends no daemon", {
  for (i in 1:10) {
    daemons(1)
    stop_mirai(mirai(Sys.sleep(600)))
    expect_identical(evaluated("free"), "free")
    expect_equal(unname(status()$daemons[, "instance"]), 1)
    daemons(0)
  }
})
