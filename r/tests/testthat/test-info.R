test_that("info() counts daemons and tasks", {
  expect_null(info())
  set_daemons(1)
  m <- mirai(1)
  call_mirai(m)

  counts <- info()

  expect_type(counts, "integer")
  expect_named(counts, c("connections", "cumulative", "awaiting", "executing",
                         "completed"))
  expect_identical(unname(counts), c(1L, 1L, 0L, 0L, 1L))
})

test_that("info() tells tasks that wait from those that are with a daemon", {
  gate <- file.path(set_folder(), "gate")
  set_daemons(1)
  wait <- quote(while (!file.exists(gate)) Sys.sleep(0.01))
  mirais <- lapply(1:3, function(i) mirai(wait, gate = gate))

  expect_identical(info()[c("awaiting", "executing")],
                   c(awaiting = 2L, executing = 1L))
  file.create(gate)
  for (each in mirais) call_mirai(each)
  expect_identical(info()[c("awaiting", "executing", "completed")],
                   c(awaiting = 0L, executing = 0L, completed = 3L))
})

test_that("info() counts daemons without dispatcher, and those that are gone", {
  set_daemons(1, dispatcher = FALSE)
  expect_identical(info()[["connections"]], 1L)
  set_daemons(1, respawn = FALSE, .compute = "side")
  call_mirai(mirai(quit(), .compute = "side"))
  expect_true(wait_for(function() info("side")[["connections"]] == 0L))
  expect_identical(info("side")[["cumulative"]], 1L)
})

test_that("status() has the bytes that tasks hold, and does not print them", {
  gate <- file.path(set_folder(), "gate")
  set_daemons(1, memory = 5e6)
  m <- mirai({
    while (!file.exists(gate)) Sys.sleep(0.01)
    length(x)
  }, gate = gate, x = raw(1e6))

  memory <- status()$memory
  expect_named(memory, c("used", "peak", "capacity"))
  expect_gt(memory[["used"]], 1e6)
  expect_identical(memory[["peak"]], memory[["used"]])
  expect_identical(memory[["capacity"]], 5e6)

  file.create(gate)
  expect_identical(value_of(m), 1000000L)
  expect_identical(status()$memory[c("used", "peak")],
                   c(used = 0, peak = memory[["peak"]]))
  expect_false(any(grepl("memory", printed(status()))))
  daemons(0)
  expect_named(status(), c("connections", "daemons"))
})

test_that("what asks for daemons says why their dispatcher has ended", {
  set_daemons(1)
  pid <- nextget("pid")
  tools::pskill(pid, tools::SIGKILL)
  expect_true(wait_for(function() !is_running(pid)))
  expect_true(all(is.na(info())))
  expect_false(daemons_set())
  expect_error(mirai_map(1:3, identity),
               "has no daemons any more: .*signal 9.*call daemons\\(n\\) first",
               class = "tenkai_no_daemons")
})

test_that("daemons_set() and require_daemons() look at a profile", {
  expect_false(daemons_set())
  set_daemons(1, .compute = "side")

  expect_true(daemons_set("side"))
  expect_false(daemons_set())
  expect_true(with_daemons("side", daemons_set()))
  expect_identical(withVisible(require_daemons("side")),
                   list(value = TRUE, visible = FALSE))
  daemons(0, .compute = "side")
  expect_false(daemons_set("side"))
  expect_error(daemons_set(1), "'.compute' must be a single string")
})

test_that("require_daemons() says what to do, and names its caller", {
  needs_them <- function(...) require_daemons(...)

  refused <- tryCatch(needs_them(), error = identity)
  expect_s3_class(refused, "tenkai_no_daemons")
  expect_match(conditionMessage(refused), "call daemons(n) first", fixed = TRUE)
  expect_identical(conditionCall(refused), quote(needs_them()))

  named <- tryCatch(needs_them("side", call = quote(their(call))),
                    error = identity)
  expect_match(conditionMessage(named), "daemons(4, .compute = \"side\")",
               fixed = TRUE)
  expect_identical(conditionCall(named), quote(their(call)))
  expect_null(conditionCall(tryCatch(require_daemons(call = NULL),
                                     error = identity)))
  expect_null(conditionCall(tryCatch(require_daemons(call = globalenv()),
                                     error = identity)))
})

test_that("on_daemon() is TRUE in a task", {
  expect_false(on_daemon())
  expect_true(evaluated(tenkai::on_daemon()))
  set_daemons(1)
  expect_true(evaluated(tenkai::on_daemon()))
})

test_that("nextget() has what is documented, and NULL for the rest", {
  expect_null(nextget("n"))
  set_daemons(2)
  expect_identical(nextget("n"), 2L)
  expect_identical(nextget("url"), nextget("urls")[1L])
  expect_null(nextget("dispatcher"))
  expect_null(nextget("cv"))
  expect_error(nextget(1), "'x' must be a single string")
  set_daemons(url = "tcp://127.0.0.1:0", dispatcher = FALSE, .compute = "side")
  expect_identical(nextget("n", .compute = "side"), 1L)
})

test_that("a daemon says why it has ended", {
  expect_match(nextcode(0:3), "^[0-3] \\| ")
  expect_match(nextcode(3), "maxtasks")
  expect_error(nextcode(4), "'xc' must be what daemon() has returned",
               fixed = TRUE)
  expect_error(nextcode("a"), "'xc'")
  expect_error(nextcode(NA), "'xc'")

  set_daemons(url = "abstract://tenkai-test-codes", dispatcher = FALSE)
  output <- file.path(set_folder(), "output")
  run <- function(arguments) {
    start_session(sprintf(paste(
      "value <- withVisible(tenkai::daemon('%s', %s))",
      "cat('code', value$value, value$visible, tenkai::on_daemon(), '\\n')",
      sep = "; "
    ), nextget("url"), arguments), output)
    expect_true(wait_for(function() {
      file.exists(output) &&
        any(grepl("^code", readLines(output, warn = FALSE)))
    }))
    line <- grep("^code", readLines(output), value = TRUE)
    unlink(output)
    trimws(line)
  }
  expect_identical(run("idletime = 1"), "code 1 FALSE FALSE")
  expect_identical(run("walltime = 1"), "code 2 FALSE FALSE")
  m <- mirai(1)
  expect_identical(run("maxtasks = 1"), "code 3 FALSE FALSE")
  expect_identical(value_of(m), 1)
  m <- mirai(Sys.getpid())
  pid <- NULL
  output <- file.path(set_folder(), "output")
  start_session(sprintf(paste(
    "value <- tenkai::daemon('%s')",
    "cat('code', value, '\\n')", sep = "; "
  ), nextget("url")), output)
  value_of(m)
  daemons(0)
  expect_true(wait_for(function() {
    any(grepl("^code 0", readLines(output, warn = FALSE)))
  }))
})
