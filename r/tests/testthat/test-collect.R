# Values out of mirais: one, all of a list, and the first of several.

test_that("m[] waits for the value and returns it", {
  set_daemons(1)
  m <- mirai({
    Sys.sleep(0.1)
    42
  })
  expect_identical(m[], 42)
  expect_identical(m[], 42)
  expect_identical(collect_mirai(m), 42)
  expect_s3_class(mirai(stop("oh"))[], "miraiError")
  expect_true(is_error_code(mirai(Sys.sleep(600), .timeout = 50)[], 5L))
})

test_that("a list is collected in its shape, with its names", {
  set_daemons(2)
  tasks <- list(a = mirai(1), b = list(mirai("b"), c = NULL), NULL, d = 3,
                pairlist(e = mirai(NULL), mirai(list(6, NULL))), list())

  expect_identical(
    collect_mirai(tasks),
    list(a = 1, b = list("b", c = NULL), NULL, d = 3,
         list(e = NULL, list(6, NULL)), list())
  )
  expect_true(is_mirai(tasks$a))
  expect_true(is_mirai(tasks$b[[1]]))
})

test_that("a list that is a part of itself many times is collected once", {
  set_daemons(1)
  m <- mirai(1)
  tasks <- list(m)
  for (i in 1:100) tasks <- list(tasks, tasks)
  values <- collect_mirai(tasks)
  for (i in 1:100) values <- values[[i %% 2 + 1]]
  expect_identical(values, list(1))

  for (i in 1:20000) tasks <- list(tasks)
  expect_type(collect_mirai(tasks), "list")
})

test_that("an error value in a list is a value, if nothing else is said", {
  set_daemons(1)
  values <- collect_mirai(list(a = mirai(stop("oh")), b = mirai(2)))
  expect_s3_class(values$a, "miraiError")
  expect_identical(values$b, 2)
})

test_that(".flat makes one vector of the values", {
  set_daemons(1)
  flat <- function(...) {
    collect_mirai(lapply(list(...), function(v) mirai(v, v = v)), ".flat")
  }
  expect_identical(flat(a = 1, b = 2), c(a = 1, b = 2))
  expect_identical(flat(c(a = 1), c(b = 2, c = 3)), c(a = 1, b = 2, c = 3))
  expect_identical(flat(list(1), list(2, 3)), list(1, 2, 3))
  expect_identical(flat(factor("a"), factor("b")), factor(c("a", "b")))
  differ <- "cannot flatten outputs of differing type:"
  expect_error(flat(1, "b"), paste(differ, "double / character"))
  expect_error(flat(NULL, 1), paste(differ, "NULL / double"))
  nested <- list(a = list(mirai(1), mirai(2)), b = mirai(3))
  expect_identical(collect_mirai(nested, ".flat"), c(a1 = 1, a2 = 2, b = 3))
  expect_null(collect_mirai(list(), ".flat"))
})

test_that(".flat is an error where a value is none", {
  set_daemons(1)
  error <- tryCatch(
    collect_mirai(list(mirai("a"), list(b = mirai(stop("oh")))), ".flat"),
    error = identity
  )
  expect_s3_class(error, "tenkai_collect_error")
  expect_identical(error$location, 2L)
})

test_that(".stop raises the first error value, and stops the rest", {
  set_daemons(2)
  condition <- structure(class = c("myError", "error", "condition"),
                         list(message = "oh", call = NULL, extra = 42))
  tasks <- list(a = mirai(1), b = mirai(stop(condition), condition = condition),
                c = mirai(Sys.sleep(600)), d = mirai(Sys.sleep(600)))
  error <- tryCatch(collect_mirai(tasks, ".stop"), error = identity)

  expect_identical(class(error),
                   c("tenkai_collect_error", "error", "condition"))
  expect_identical(conditionMessage(error),
                   "In index 2 ('b'), the mirai has no value: Error: oh")
  expect_identical(error$location, 2L)
  expect_identical(error$name, "b")
  expect_s3_class(error$parent, "myError")
  expect_identical(error$parent$extra, 42)
  expect_identical(error$value, tasks$b$data)
  expect_true(is_error_code(tasks$c$data, 20L))
  expect_true(is_error_code(tasks$d$data, 20L))
  expect_identical(collect_mirai(list(mirai(1), mirai(2)), ".stop"), list(1, 2))
})

test_that(".stop tells of error values that are no error of R's", {
  set_daemons(1)
  message_of <- function(expr) tryCatch(expr, error = conditionMessage)
  late <- list(list(mirai(Sys.sleep(600), .timeout = 50)))
  expect_identical(message_of(collect_mirai(late, ".stop")),
                   "In index 1, the mirai has no value: 5 | Timed out")
  interrupted <- mirai({
    tools::pskill(Sys.getpid(), tools::SIGINT)
    Sys.sleep(600)
  })
  expect_identical(message_of(interrupted[.stop]),
                   "the mirai has no value: the task was interrupted")
  died <- mirai(tools::pskill(Sys.getpid(), tools::SIGKILL))
  expect_match(message_of(died[.stop]),
               "19 | Connection reset: daemon 1 was killed", fixed = TRUE)
  # What came from elsewhere does not steer a terminal.
  steers <- mirai(stop("\033[2J"))
  expect_match(message_of(steers[.stop]), "\\x1b[2J", fixed = TRUE)
})

test_that("options are written in brackets, or given as texts or as a list", {
  set_daemons(1)
  fails <- mirai(stop("oh"))
  raises <- function(expr) expect_error(expr, class = "tenkai_collect_error")
  raises(fails[.stop])
  raises(fails[.stop, .progress])
  raises(fails[, tenkai::.stop])
  raises(fails[".stop"])
  raises(fails[.stop = TRUE, .progress = "a name"])
  chosen <- ".stop"
  raises(fails[chosen])
  raises(collect_mirai(fails, ".stop"))
  raises(collect_mirai(fails, list(.stop = TRUE, .progress = list(name = "a"))))
  raises(collect_mirai(list(fails), c(".stop", ".flat", ".progress")))
  expect_s3_class(fails[.stop = FALSE], "miraiError")
  expect_s3_class(fails[.flat], "miraiError")
  neither <- list(.stop = FALSE, .flat = TRUE)
  expect_s3_class(collect_mirai(fails, neither), "miraiError")
  expect_identical(list(.flat, .stop, .progress),
                   lapply(c(".flat", ".stop", ".progress"), as.name))
})

test_that("an option that is none is named", {
  m <- mirai(1)
  at_end(daemons(0))
  none <- "is no option of collecting mirais: there are .flat, .stop, .progress; elements"
  expect_error(collect_mirai(m, ".stopp"), paste("'.stopp'", none))
  expect_error(collect_mirai(m, list(TRUE)), paste("''", none))
  expect_error(collect_mirai(m, 3),
               "'options' must be a character vector or a named list, not 3")
  expect_error(collect_mirai(m, list(.stop = NA)),
               "'.stop' must be TRUE or FALSE, not NA")
  expect_error(m[.progress = 3], "'.progress' must be TRUE or FALSE, not 3")
  expect_error(m[1], paste("1", none))
  expect_error(m["none"], paste("'none'", none))
  expect_error(m[no_such_thing], "no_such_thing")
})

test_that("nothing is shown of .progress where there is no terminal", {
  said <- run_session(c(
    "library(tenkai)", "invisible(daemons(1))",
    "tasks <- lapply(1:3, function(i) mirai({ Sys.sleep(0.3); i }, i = i))",
    "cat(collect_mirai(tasks, c('.progress', '.flat')))",
    "invisible(daemons(0))"
  ))
  expect_identical(said, "1 2 3")
})

# What a session writes whose standard output and error are a terminal. Meanwhile it is in the file
# that the environment variable SAID names.
said_on_terminal <- function(code) {
  script <- tempfile(fileext = ".R")
  file <- tempfile()
  on.exit(unlink(c(script, file)))
  writeLines(c("library(tenkai)", "invisible(daemons(1))", code,
               "invisible(daemons(0))"), script)
  command <- paste("timeout 240", file.path(R.home("bin"), "Rscript"),
                   "--vanilla", shQuote(script))
  libraries <- paste0("R_LIBS=", shQuote(paste(.libPaths(), collapse = ":")))
  said <- system(paste(libraries, paste0("SAID=", file), "TERM=xterm script -qefc", shQuote(command),
                       file, "</dev/null"), intern = TRUE)
  paste(said, collapse = "\n")
}

test_that(".progress shows a bar on a terminal, of cli or of R", {
  skip_if(Sys.which("script") == "", "there is no program script")
  code <- c(
    "see <- function() {",
    "  until <- Sys.time() + 60",
    "  said <- function() readLines(Sys.getenv('SAID'), warn = FALSE)",
    "  while (Sys.time() < until && !any(grepl('25%|50%|75%', said()))) Sys.sleep(0.05)",
    "}",
    "tasks <- lapply(1:4, function(i) mirai({ if (i == 4) see(); i }, i = i, see = see))",
    "x <- collect_mirai(tasks, list(.progress = list(name = 'fitting')))",
    "cat('sum', sum(unlist(x)), '\\n')"
  )
  plain <- said_on_terminal(c(
    "assignInNamespace('has_cli_bars', function() FALSE, 'tenkai')", code
  ))
  expect_match(plain, "fitting")
  expect_match(plain, "==+ *\\| +50%|==+ *\\| +25%|==+ *\\| +75%")
  expect_match(plain, "=\\| 100%")
  expect_match(plain, "sum 10")

  skip_if_not_installed("cli", "3.0.0")
  with_cli <- said_on_terminal(c("options(cli.progress_show_after = 0)", code))
  expect_match(with_cli, "fitting")
  expect_match(with_cli, "25%|50%|75%")
  expect_match(with_cli, "sum 10")
})

test_that("race_mirai() says which has resolved first", {
  set_daemons(2)
  set_daemons(1, .compute = "other")
  slow <- mirai(Sys.sleep(600))
  elsewhere <- mirai(Sys.sleep(600), .compute = "other")
  at_end(stop_mirai(list(slow, elsewhere)))

  expect_identical(race_mirai(list(slow, mirai(1))), 2L)
  mixed <- list(slow, elsewhere, NULL, "no mirai", mirai(1))
  expect_identical(race_mirai(mixed), 5L)
  quick <- mirai(1)
  expect_identical(race_mirai(list(elsewhere, a = slow, b = quick)), 3L)
  expect_identical(race_mirai(list(elsewhere, quick, quick)), 2L)
  expect_identical(race_mirai(quick), 1L)
  expect_identical(race_mirai(pairlist(slow, quick)), 2L)
  expect_identical(race_mirai(list(1, NULL, list(quick))), 0L)
  stopped <- mirai(Sys.sleep(600), .compute = "other")
  stop_mirai(stopped)
  expect_identical(race_mirai(list(slow, stopped)), 2L)
})

test_that("each of several profiles can win a race, and is found at once", {
  set_daemons(1)
  set_daemons(1, .compute = "other")
  folder <- set_folder()
  held <- function(name, .compute) {
    mirai({
      while (!file.exists(file.path(folder, name))) Sys.sleep(0.01)
      name
    }, name = name, folder = folder, .compute = .compute)
  }
  tasks <- list(held("a", "default"), held("b", "other"))
  # What ends the one is on its way when the race begins, or comes within it.
  system(paste("(sleep 0.3; touch", file.path(folder, "b"), ") &"))
  expect_identical(race_mirai(tasks), 2L)
  system(paste("(sleep 0.3; touch", file.path(folder, "a"), ") &"))
  expect_identical(race_mirai(tasks[1]), 1L)
  expect_identical(collect_mirai(tasks), list("a", "b"))
})

test_that("a race ends where nothing can come any more", {
  daemons(1)
  daemons(1, .compute = "other")
  at_end(daemons(0, .compute = "other"))
  tasks <- list(mirai(Sys.sleep(600), .compute = "other"),
                mirai(Sys.sleep(600)))
  at_end(stop_mirai(tasks))
  dispatcher <- nextget("pid")
  # It is killed while we wait, or just before.
  system(paste("(sleep 0.3; kill -9", dispatcher, ") &"))
  expect_identical(race_mirai(tasks), 2L)
  expect_true(is_error_code(tasks[[2]][], 19L))
  daemons(0)

  daemons(1)
  tasks[[2]] <- mirai(Sys.sleep(600))
  daemons(0)
  expect_identical(race_mirai(tasks), 2L)
  expect_true(is_error_code(tasks[[2]][], 7L))
})

test_that("thousands of mirais are raced until none is left", {
  set_daemons(2)
  tasks <- lapply(1:3000, function(i) mirai(i, i = i))
  left <- seq_along(tasks)
  got <- integer()
  while (i <- race_mirai(tasks[left])) {
    got <- c(got, tasks[[left[i]]]$data)
    left <- left[-i]
  }
  expect_identical(sort(got), 1:3000)
})

test_that("a forked process gets no values, and waits for none", {
  skip_if_not_installed("parallel")
  set_daemons(1)
  slow <- mirai(Sys.sleep(600))
  at_end(stop_mirai(slow))
  job <- parallel::mcparallel(list(
    race_mirai(list(NULL, slow)), as.integer(collect_mirai(list(slow))[[1]]),
    tryCatch(slow[.stop], error = class), stop_mirai(list(slow))
  ))
  class <- c("tenkai_collect_error", "error", "condition")
  expect_identical(parallel::mccollect(job)[[1]], list(2L, 7L, class, FALSE))
  expect_true(unresolved(slow))
})

test_that("Ctrl-C ends a race and a collection, and leaves the mirais valid", {
  folder <- set_folder()
  output <- file.path(folder, "output")
  pid <- start_session(c(
    "library(tenkai)",
    sprintf("folder <- '%s'", folder),
    "invisible(daemons(1)); invisible(daemons(1, .compute = 'other'))",
    "held <- function(...) mirai({",
    "  while (!file.exists(file.path(folder, 'go'))) Sys.sleep(0.02)",
    "  42",
    "}, folder = folder, ...)",
    "both <- function() list(held(), held(.compute = 'other'))",
    "waits <- list(race_mirai, function(x) race_mirai(x[1]), collect_mirai,",
    "  function(x) collect_mirai(x, c('.stop', '.flat')),",
    "  function(x) x[[1]][])",
    "for (wait in waits) {",
    "  x <- both()",
    "  r <- tryCatch({",
    "    file.create(file.path(folder, 'waiting'))",
    "    wait(x)",
    "    'not' },",
    "    interrupt = function(c) 'interrupted')",
    "  cat(r, unresolved(x[[1]]), unresolved(x[[2]]), '\\n')",
    "  file.create(file.path(folder, 'go'))",
    "  cat(collect_mirai(x, '.flat'), '\\n')",
    "  unlink(file.path(folder, 'go'))",
    "}",
    "cat('the end\\n')"
  ), output)
  for (i in 1:5) {
    expect_true(wait_for(function() file.exists(file.path(folder, "waiting"))))
    unlink(file.path(folder, "waiting"))
    expect_true(wait_for(function() is_asleep(pid)))
    tools::pskill(pid, tools::SIGINT)
  }
  expect_true(wait_for(function() any(readLines(output) == "the end")))
  expect_identical(readLines(output),
                   c(rep(c("interrupted TRUE TRUE ", "42 42 "), 5), "the end"))
})
