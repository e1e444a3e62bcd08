test_that("daemons() says how many there are, and prints a bare number", {
  value <- set_daemons(2)

  expect_identical(value, structure(2L, class = c("miraiDaemons", "default")))
  expect_identical(printed(value), "[1] 2")
  expect_identical(printed(daemons(0)), "[1] 0")
  expect_identical(daemons(0), 0L)
})

test_that("daemons that are set already stay as they are", {
  set_daemons(2)
  pid <- nextget("pid")

  expect_message(value <- daemons(5), "nothing was changed: call daemons(0)",
                 fixed = TRUE)
  expect_identical(unclass(value)[1], 2L)
  expect_silent(daemons(2))
  expect_message(daemons(2, kill_after = 1), "nothing was changed")
  expect_identical(nextget("pid"), pid)
  expect_identical(nrow(status()$daemons), 2L)
})

test_that("daemons() alone is status()", {
  expect_identical(daemons(), status())
  set_daemons(1)
  expect_identical(daemons(), status())
})

test_that("status() is zero where nothing is set", {
  expect_identical(unclass(status()), list(connections = 0L, daemons = 0L))
  expect_identical(printed(status()),
                   c("$connections", "[1] 0", "", "$daemons", "[1] 0", ""))
})

test_that("status() is a matrix with a row for each daemon", {
  set_daemons(2)
  now <- status()

  expect_identical(names(now)[1:2], c("connections", "daemons"))
  expect_identical(now$connections, 1L)
  expect_type(now$daemons, "integer")
  expect_identical(dim(now$daemons), c(2L, 5L))
  expect_identical(colnames(now$daemons),
                   c("i", "online", "instance", "assigned", "complete"))
  expect_match(rownames(now$daemons), "^abstract://[0-9a-f]{24}$")
  expect_identical(unname(now$daemons[, "i"]), 1:2)
  expect_identical(unname(now$daemons[, "online"]), c(1L, 1L))
  expect_identical(unname(now$daemons[, "instance"]), c(1L, 1L))
  expect_identical(printed(now)[1:4],
                   c("$connections", "[1] 1", "", "$daemons"))

  evaluated(1)
  expect_identical(sum(status()$daemons[, "assigned"]), 1L)
  expect_identical(sum(status()$daemons[, "complete"]), 1L)
})

test_that("status() prints as a list does, and names what is suspect", {
  set_daemons(1)
  now <- status()
  plain <- list(connections = now$connections, daemons = now$daemons)
  expect_identical(attr(now, "state"), "idle")
  expect_identical(printed(now), printed(plain))

  attr(now, "state") <- "suspect"
  expect_identical(
    printed(now)[-seq_along(printed(plain))],
    paste0("daemon 1: suspect, nothing is heard from there; ",
           "it gets nothing new until it is")
  )
})

test_that("daemons are named alike, by ranges", {
  words <- tenkai:::daemons_in_words
  expect_identical(words(3L), "daemon 3")
  expect_identical(words(1:2), "daemons 1-2")
  expect_identical(words(c(1L, 2L, 3L, 5L, 9L, 10L)), "daemons 1-3, 5, 9-10")
})

test_that("wrong numbers of daemons are refused in words", {
  at_end(daemons(0))
  expect_error(daemons("tcp://127.0.0.1:5555"),
               "^'n' must be numeric, did you mean to provide 'url'\\?$")
  expect_error(daemons(NA_integer_),
               "^'n' must be numeric, did you mean to provide 'url'\\?$")
  expect_error(daemons(-1), "^the number of daemons must be zero or greater$")
  expect_error(daemons(0, url = "tcp://127.0.0.1:0"),
               "^'n' must be 1 or greater$")
  expect_error(
    daemons(1, maxtasks = "many"),
    "^'\\.\\.\\.' arguments should only be of integer, numeric or logical type$"
  )
  expect_error(daemons(url = 5),
               "'url' must be a character vector of URLs, not 5")
  expect_error(daemons(1, reconnect = "x"), "'reconnect' must be a number")
  expect_error(daemons(1, kill_after = -2), "'kill_after'")
  expect_error(daemons(1, memory = 0), "'memory'")
  for (wrong in list("x", NA, 2^31, Inf, 1:2)) {
    expect_error(daemons(1, seed = wrong), "^'seed' must be an integer, .* not ")
  }
  expect_identical(status()$connections, 0L)
})

test_that("what 'dispatcher' cannot be is refused by name", {
  for (wrong in list("", NA, NULL, 1, "thread", c(TRUE, TRUE))) {
    expect_error(daemons(1, dispatcher = wrong),
                 "'dispatcher' must be TRUE or FALSE, not ")
  }
  expect_identical(status()$connections, 0L)
})

test_that("options for how numbers are shown change nothing for daemons", {
  before <- options(OutDec = ",", scipen = -20, digits = 3)
  at_end(options(before))
  set_daemons(2, url = "tcp://127.0.0.1:0", idletime = 1e6 + 0.25,
              retries = c(2, oom = 1), reconnect = 60.5, memory = 123456789)
  command <- launch_remote(1, walltime = 1234567.5, maxtasks = 1e5)

  expect_match(command, "walltime=1234567.5,maxtasks=100000,idletime=1000000.25,",
               fixed = TRUE)
  expect_match(command, "rs=c\\(10407(,-?[0-9]+){6}\\)")
  expect_match(launch_remote("tcp://127.0.0.1:5555", idletime = 1000.25),
               "idletime=1000.25,", fixed = TRUE)
  launch_local(1, walltime = 600000.5)
  expect_identical(evaluated(1 + 1), 2)
  expect_match(ssh_config("ssh://h", timeout = 10)$args[[1L]][1L], "=10 ")
  expect_identical(slurm_config(cpus_per_task = 1e5)$options[[1L]], "100000")
})

test_that("a value of several lines reaches a daemon as it is", {
  name <- "two\nlines, 100%25\t\u00e9"
  at_end(daemons(0, .compute = name))
  daemons(1, .compute = name)
  expect_identical(evaluated("named", .compute = name), "named")

  set_daemons(1, url = "wss://127.0.0.1:0", .compute = "tls")
  launch_local(1, tls = nextget("tls", "tls"), .compute = "tls")
  expect_identical(evaluated("trusted", .compute = "tls"), "trusted")
})

test_that("a daemon that cannot start is an error with its cause", {
  at_end(daemons(0))
  lines <- run_session(c(
    "library(tenkai)",
    "unlockBinding('rscript', asNamespace('tenkai'))",
    "assign('rscript', function() '/no/such/Rscript', asNamespace('tenkai'))",
    "r <- try(daemons(2), silent = TRUE)",
    "cat(conditionMessage(attr(r, 'condition')), '\\n')",
    "print(status()$connections)"
  ))
  expect_true(any(grepl("/no/such/Rscript", lines, fixed = TRUE)))
  expect_true("[1] 0" %in% lines)
})

test_that("local daemons have the session's directory and libraries", {
  set_daemons(1)
  expect_identical(evaluated(getwd()), getwd())
  expect_identical(evaluated(.libPaths()), .libPaths())
})

test_that("local daemons find the session's packages, whatever .Rprofile says", {
  folder <- set_folder()
  dir.create(file.path(folder, "added"))
  dir.create(file.path(folder, "only"))
  code <- c(
    sprintf("setwd('%s')", folder),
    "writeLines('.libPaths(\"only\", include.site = FALSE)', '.Rprofile')",
    ".libPaths(c('added', .Library, .libPaths()))",
    "library(tenkai)",
    "ours <- function(...) cat(identical(call_mirai(mirai(.libPaths(), ...))$data,",
    "                                    .libPaths()), '')",
    "invisible(daemons(1))",
    "ours()",
    "invisible(daemons(1, url = 'tcp://127.0.0.1:0', .compute = 'b'))",
    "launch_local(1, .compute = 'b')",
    "ours(.compute = 'b')",
    "ours(.compute = 'ephemeral')"
  )
  expect_identical(run_session(code, options = "--no-save"), "TRUE TRUE TRUE ")
})

test_that("daemons end with their profile", {
  daemons(2)
  daemon_pids <- vapply(1:8, function(i) evaluated(Sys.getpid()), 0L)
  pids <- unique(c(nextget("pid"), daemon_pids))
  daemons(0)

  expect_true(wait_for(function() !any(vapply(pids, is_running, NA))))
})

test_that("profiles do not know each other", {
  set_daemons(1)
  set_daemons(2, .compute = "b")

  expect_identical(class(suppressMessages(daemons(1, .compute = "b"))),
                   c("miraiDaemons", "b"))
  expect_identical(nrow(status()$daemons), 1L)
  expect_identical(nrow(status("b")$daemons), 2L)
  expect_true(evaluated(Sys.getpid()) != evaluated(Sys.getpid(),
                                                   .compute = "b"))
  daemons(0, .compute = "b")
  expect_identical(status("b")$connections, 0L)
  expect_identical(evaluated("still here"), "still here")
  expect_null(nextget("pid", .compute = "b"))
  expect_null(nextget("urls", .compute = "b"))
})

test_that("with() resets what it has set, also after an error", {
  value <- with(daemons(1, .compute = "w"), {
    expect_identical(status("w")$connections, 1L)
    value_of(mirai("inside", .compute = "w"))
  })
  expect_identical(value, "inside")
  expect_identical(status("w")$connections, 0L)
  expect_error(with(daemons(1, .compute = "w"), stop("in the middle")),
               "in the middle")
  expect_identical(status("w")$connections, 0L)
})

test_that("nextget() knows the dispatcher and the URLs", {
  expect_null(nextget("pid"))
  expect_null(nextget("urls"))
  set_daemons(2)
  expect_true(is_running(nextget("pid")))
  expect_identical(nextget("urls"), rownames(status()$daemons))
  expect_null(nextget("tls"))
  expect_null(nextget("nothing"))
})

test_that("without a dispatcher tasks are dealt in turn", {
  value <- set_daemons(2, dispatcher = FALSE)
  expect_identical(unclass(value)[1], 2L)
  expect_identical(status()$connections, 2L)
  expect_match(status()$daemons, "^abstract://[0-9a-f]{24}$")

  pids <- vapply(1:6, function(i) evaluated(Sys.getpid()), 0L)
  expect_length(unique(pids), 2L)
  expect_equal(as.vector(table(pids)), c(3, 3))
})

test_that("without a dispatcher one URL takes any number of daemons", {
  value <- set_daemons(url = "tcp://127.0.0.1:0", dispatcher = FALSE)
  expect_match(unclass(value)[1], "^tcp://127\\.0\\.0\\.1:[1-9][0-9]*$")
  expect_identical(printed(value), paste0("[1] \"", unclass(value)[1], "\""))
  expect_identical(status()$daemons, unclass(value)[1])
  expect_identical(status()$connections, 0L)
  early <- mirai("waited for a daemon")
  launch_local(c(1, 1, 1))

  expect_identical(value_of(early), "waited for a daemon")
  expect_true(wait_for(function() status()$connections == 3L))
})

test_that("without resilience the task of a daemon that dies resolves to 19", {
  for (resilience in c(TRUE, FALSE)) {
    daemons(2, dispatcher = FALSE, resilience = resilience)
    folder <- set_folder()
    m <- mirai({
      file.create(file.path(folder, Sys.getpid()))
      if (length(dir(folder)) == 1L) Sys.sleep(600)
      "second"
    }, folder = folder)
    expect_true(wait_for(function() length(dir(folder)) == 1L))
    tools::pskill(as.integer(dir(folder)), tools::SIGKILL)
    if (resilience) expect_identical(value_of(m), "second")
    else expect_true(is_error_code(value_of(m), 19L))
    daemons(0)
  }
})

test_that("launch_local() brings a daemon back at its index or its URL", {
  set_daemons(2, respawn = FALSE)
  pid <- function() evaluated(Sys.getpid())
  first <- pid()
  slot <- which(status()$daemons[, "assigned"] == 1)
  for (again in list(unname(slot), nextget("urls")[slot])) {
    victim <- value_of(m <- mirai({ quit() }))
    slot <- which(status()$daemons[, "online"] == 0)
    expect_length(slot, 1L)
    again <- if (is.numeric(again)) unname(slot) else nextget("urls")[slot]
    expect_null(launch_local(again))
    expect_true(wait_for(function() all(status()$daemons[, "online"] == 1)))
  }
  expect_identical(sum(status()$daemons[, "instance"]), 4L)
})

test_that("launch_local() and launch_remote() say what is wrong", {
  expect_error(launch_local(1),
               "^a numeric value for 'url' requires daemons to be set$")
  expect_error(launch_remote(1),
               "^a numeric value for 'url' requires daemons to be set$")
  expect_error(launch_local("bad"), paste(
    "3 | Invalid argument: the URL 'bad' has no scheme (known are tcp, tls+tcp,",
    "ws, wss, abstract, ipc); a right one looks like tcp://127.0.0.1:5555"
  ), fixed = TRUE)
  expect_error(launch_local("fd:3"), "the URL 'fd:3' has no scheme",
               fixed = TRUE)
  expect_error(launch_remote("tcp://a b:1"), "3 | Invalid argument",
               fixed = TRUE)
  expect_error(launch_remote("tcp://a:1'; rm -rf"), "3 | Invalid argument",
               fixed = TRUE)
  set_daemons(1)
  for (i in list(0, 2, -1, NA_real_)) {
    expect_error(launch_local(i), "^numeric value for 'url' is out of bounds$")
    expect_error(launch_remote(i), "^numeric value for 'url' is out of bounds$")
  }
})

test_that("dispatcher() wants something to dispatch to", {
  expect_error(
    dispatcher("fd:3"),
    "^at least one URL must be supplied for 'url' or 'n' must be at least 1$"
  )
  expect_error(dispatcher("tcp://127.0.0.1:1", n = 1), "must be \"fd:N\"",
               fixed = TRUE)
})

test_that("a dispatcher that is killed is said, and daemons can be set again", {
  set_daemons(1)
  m <- mirai(Sys.sleep(600))
  tools::pskill(nextget("pid"), tools::SIGKILL)

  expect_true(is_error_code(value_of(m), 19L))
  expect_match(reason_of(m$data), "dispatcher .* signal 9")
  expect_s3_class(status()$daemons, "errorValue")
  expect_identical(unclass(daemons(1))[1], 1L)
  expect_identical(evaluated("again"), "again")
})

test_that("memory = blocks mirai() until there is room, and never for ever", {
  set_daemons(1, memory = 3e6)
  x <- numeric(1.25e5)
  go <- file.path(set_folder(), "go")
  first <- lapply(1:2, function(i) mirai({
    while (!file.exists(go)) Sys.sleep(0.02)
    length(x)
  }, x = x, .args = list(go = go)))
  started <- Sys.time()
  # Something outside lets the first ones finish.
  system(sprintf("(sleep 1; touch %s) &", go))
  third <- mirai(length(x), x = x)

  expect_gt(as.numeric(Sys.time() - started, units = "secs"), 0.8)
  expect_identical(value_of(third), 125000L)
  expect_identical(lapply(first, value_of), list(125000L, 125000L))
})

test_that("a single task may be larger than the memory", {
  set_daemons(1, memory = 1e5)
  expect_identical(evaluated(length(x), x = numeric(1e5)), 100000L)
})

test_that("arguments of daemons that make no sense are told", {
  for (each in c("maxtasks", "idletime", "walltime")) {
    expect_error(do.call(daemons, c(1, setNames(list(0), each))),
                 paste0("'", each, "' must be a number of at least 1, not 0"))
  }
  expect_equal(status()$connections, 0)
  at_end(daemons(0))
  expect_warning(daemons(1, maxtask = 3),
                 "'maxtask' is no argument of daemon\\(\\).*'maxtasks'\\?")
  expect_warning(launch_remote(1, foo = TRUE), "'foo' is no argument of daemon")
  expect_silent(daemons(1, asyncdial = TRUE, output = FALSE, .compute = "b"))
  daemons(0, .compute = "b")
})
