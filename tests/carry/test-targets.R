# Pipelines of package targets, as CRAN has it, on controllers of ours. Each test has
# a pipeline in a folder of its own, and runs it in a fresh R process as tar_make()
# does by itself.
library(targets)

# A folder for the rest of a test, with _targets.R in it: the lines of `script`, in
# which %s is what the controller is.
set_pipeline <- function(script, controller = "tenkai_controller(n = 2)",
                         frame = parent.frame()) {
  folder <- tempfile("pipeline-")
  dir.create(folder)
  before <- setwd(folder)
  do.call(on.exit, list(bquote({
    setwd(.(before))
    unlink(.(folder), recursive = TRUE)
  }), TRUE, FALSE), envir = frame)
  begin <- c("library(targets)", sprintf("tar_option_set(controller = tenkai::%s)",
                                         controller))
  writeLines(c(if (!is.null(controller)) begin else begin[1L], script),
             "_targets.R")
  folder
}

make <- function(...) tar_make(reporter = "silent", ...)

# The errors of targets, by their names.
errors_of <- function(...) {
  meta <- tar_meta(fields = "error")
  found <- meta$error[!is.na(meta$error)]
  structure(found, names = meta$name[!is.na(meta$error)])
}

# Whether a process has ended, within time.
has_ended <- function(pid, seconds = 60) {
  until <- Sys.time() + seconds
  while (tools::pskill(pid, 0)) {
    if (Sys.time() > until) return(FALSE)
    Sys.sleep(0.02)
  }
  TRUE
}

# For the rest of a test.
set_config <- function(lines, frame = parent.frame()) {
  file <- tempfile(fileext = ".yaml")
  writeLines(lines, file)
  Sys.chmod(file, "600")
  Sys.setenv(TENKAI_CONFIG = file)
  do.call(on.exit, list(bquote({
    Sys.unsetenv("TENKAI_CONFIG")
    unlink(.(file))
  }), TRUE, FALSE), envir = frame)
}

test_that("a pipeline of 200 targets goes on where a daemon is killed", {
  set_pipeline('list(
    tar_target(x, seq_len(200)),
    tar_target(branch, {
      if (x == 77 && !file.exists("killed")) {
        file.create("killed")
        tools::pskill(Sys.getpid(), tools::SIGKILL)
        Sys.sleep(600)
      }
      c(x = x, pid = Sys.getpid())
    }, pattern = map(x), iteration = "list"),
    tar_target(sums, sum(vapply(branch, `[[`, 0, "x")))
  )')

  make()

  expect_identical(tar_read(sums), as.numeric(sum(1:200)))
  expect_length(errors_of(), 0L)
  expect_true(file.exists("killed"))
  pids <- unique(vapply(tar_read(branch), `[[`, 0, "pid"))
  expect_length(pids, 3L)
  expect_false(Sys.getpid() %in% pids)
  expect_identical(tar_crew()$targets, 202L)
  for (pid in pids) expect_true(has_ended(pid))
  make()
  expect_setequal(tar_progress()$progress, "skipped")
})

test_that("what daemons died of is the error of their targets", {
  set_config(c("profiles:", "  small:", "    daemons: 2", "    retries: {default: 1}",
               "    limits: {memory: 400M}"))
  set_pipeline('
    tar_option_set(error = "continue")
    list(
      tar_target(killed, tools::pskill(Sys.getpid(), tools::SIGKILL)),
      tar_target(left, quit(status = 3)),
      tar_target(large, length(as.integer(seq_len(2e8)) + 1L)),
      tar_target(wrong, stop("oh")),
      tar_target(fine, 1)
    )', 'tenkai_controller(profile = "small")')

  suppressMessages(make())

  errors <- errors_of()
  expect_setequal(names(errors), c("killed", "left", "large", "wrong"))
  expect_match(errors[["killed"]], "killed by signal 9 (SIGKILL)", fixed = TRUE)
  expect_match(errors[["killed"]], "tried 2 times")
  expect_match(errors[["left"]], "exit code 3")
  expect_match(errors[["large"]], "OUT_OF_MEMORY")
  expect_match(errors[["large"]], "limits.memory allows")
  expect_identical(errors[["wrong"]], "oh")
  expect_identical(tar_read(fine), 1)
})

# A target whose daemon dies, one whose command fails, and what hangs on them.
lost_and_wrong <- 'list(
  tar_target(lost, quit(status = 3)),
  tar_target(wrong, stop("oh")),
  tar_target(after_lost, is.null(lost)),
  tar_target(after_wrong, is.null(wrong)),
  tar_target(x, 1:2),
  tar_target(branch, if (x == 1) quit(status = 3) else x, pattern = map(x)),
  tar_target(other, if (x == 1) stop("oh") else x, pattern = map(x)),
  tar_target(fine, 1)
)'

test_that("a target whose daemon dies is an error as its option says", {
  for (option in c("null", "trim")) {
    set_pipeline(c(sprintf('tar_option_set(error = "%s")', option),
                   lost_and_wrong))

    suppressMessages(make())

    progress <- tar_progress()
    of <- function(name) {
      progress$progress[match(name, progress$name)]
    }
    expect_identical(of("lost"), "errored")
    expect_identical(of("fine"), "completed")
    expect_identical(of("after_lost"), of("after_wrong"), info = option)
    expect_identical(of("branch"), of("other"), info = option)
    # What else had begun when it failed is another thing each time.
    if (option != "null") next
    expect_null(tar_read(lost))
    expect_true(tar_read(after_lost))
    expect_identical(unname(tar_read(branch)), unname(tar_read(other)))
  }
})

test_that("where an error is to stop the pipeline, what runs is stopped", {
  set_pipeline('list(
    tar_target(long, {
      writeLines(format(Sys.getpid()), "pid.part")
      file.rename("pid.part", "pid")
      Sys.sleep(600)
    }),
    tar_target(lost, {
      while (!file.exists("pid")) Sys.sleep(0.02)
      quit(status = 3)
    }, deployment = "worker", error = "stop")
  )')

  ended <- tryCatch(make(), error = identity)

  expect_s3_class(ended, "tenkai_target_error")
  expect_match(conditionMessage(ended), "exit code 3")
  expect_true(has_ended(as.integer(readLines("pid"))))
})

test_that("targets of a group run where their resources say", {
  set_config(c("profiles:", "  gpu:", "    daemons: 1",
               "    environment: {variables: {PLACE: gpu}}"))
  set_pipeline('
    on <- function(name) {
      tar_resources(crew = tar_resources_crew(controller = name))
    }
    list(
      tar_target(usual, Sys.getpid()),
      tar_target(cpu, Sys.getpid(), resources = on("cpu")),
      tar_target(gpu, Sys.getpid(), resources = on("gpu")),
      tar_target(x, 1:4),
      tar_target(branch, Sys.getpid(), pattern = map(x), resources = on("gpu"))
    )', 'tenkai_controller_group(
      tenkai::tenkai_controller(n = 1, name = "cpu"),
      tenkai::tenkai_controller(profile = "gpu")
    )')

  make()

  expect_identical(tar_read(usual), tar_read(cpu))
  expect_false(tar_read(gpu) == tar_read(cpu))
  expect_identical(unique(unname(tar_read(branch))), tar_read(gpu))
  expect_identical(tar_crew()$controller, c("cpu", "gpu"))
  expect_identical(tar_crew()$targets, c(3L, 5L))
})

test_that("a target may not take longer than it is given", {
  set_pipeline('
    tar_option_set(error = "continue", resources = tar_resources(
      crew = tar_resources_crew(seconds_timeout = 10)
    ))
    unlimited <- tar_resources(crew = tar_resources_crew())
    list(
      tar_target(long, Sys.sleep(600)),
      tar_target(x, 1:3, resources = unlimited),
      tar_target(branch, { Sys.sleep(0.5); x }, pattern = map(x))
    )
  ', "tenkai_controller(n = 1)")

  suppressMessages(make())

  expect_identical(errors_of(),
                   c(long = "timed out after 10 s (seconds_timeout)"))
  expect_identical(unname(tar_read(branch)), 1:3)
})

test_that("values are those of a pipeline without a controller", {
  script <- '
    offset <- 3
    shifted <- function(x) x + offset + splines_of(x)
    splines_of <- function(x) sum(ns(x, df = 2))
    tar_option_set(packages = "splines", format = "rds")
    list(
      tar_target(x, runif(5)),
      tar_target(y, shifted(x), storage = "worker", retrieval = "worker"),
      tar_target(z, rnorm(1) + y, pattern = map(y),
                 storage = "main", retrieval = "main"),
      tar_target(file, { writeLines("a", "made"); "made" }, format = "file"),
      tar_target(warned, { warning("careful"); RNGkind() }),
      tar_target(all, list(x, y, z, readLines(file), warned))
    )'
  values <- lapply(list(NULL, "tenkai_controller(n = 2)"), function(controller) {
    set_pipeline(script, controller)
    suppressWarnings(make())
    meta <- tar_meta(fields = c("name", "data", "warnings", "seed"))
    list(tar_read(all), as.data.frame(meta[order(meta$name), ]))
  })

  expect_identical(values[[2L]][[1L]], values[[1L]][[1L]])
  expect_identical(values[[2L]][[2L]], values[[1L]][[2L]])
})

test_that("daemons that are set in this session are used, and stay", {
  tenkai::daemons(1, .compute = "mine")
  on.exit(tenkai::daemons(0, .compute = "mine"))
  # They are in another folder than the pipeline.
  pid_now <- function() {
    tenkai::collect_mirai(tenkai::mirai(Sys.getpid(), .compute = "mine"))
  }
  pid <- pid_now()
  set_pipeline("list(tar_target(pid, Sys.getpid()))",
               'tenkai_controller(name = "mine")')

  make(callr_function = NULL)

  expect_identical(tar_read(pid), pid)
  expect_identical(pid_now(), pid)
})

test_that("a pipeline can run in this process, for debugging", {
  set_pipeline("list(
    tar_target(x, 1:3),
    tar_target(branch, c(x, Sys.getpid()), pattern = map(x), iteration = 'list')
  )", 'tenkai_controller(sync = TRUE, name = "here")')

  make(callr_function = NULL)

  expect_identical(unname(tar_read(branch)),
                   lapply(1:3, function(x) c(x, Sys.getpid())))
})

test_that("a controller may be an object that targets sends along", {
  set_pipeline('
    controller <- tenkai::tenkai_controller(n = 1)
    tar_option_set(controller = controller)
    list(tar_target(class_of_it, class(controller)), tar_target(x, 1:3),
         tar_target(branch, x, pattern = map(x)))
  ', NULL)

  make()

  expect_identical(tar_read(class_of_it), "tenkai_controller")
  expect_length(errors_of(), 0L)
})

test_that("an interrupt ends what runs", {
  folder <- set_pipeline('list(tar_target(long, {
    writeLines(format(Sys.getpid()), "pid.part")
    file.rename("pid.part", "pid")
    Sys.sleep(600)
  }))')
  session <- callr::r_bg(function() targets::tar_make(callr_function = NULL))
  on.exit(session$kill(), add = TRUE)
  until <- Sys.time() + 60
  while (!file.exists("pid") && session$is_alive() && Sys.time() < until) {
    Sys.sleep(0.02)
  }
  pid <- as.integer(readLines("pid"))

  session$interrupt()

  expect_true(has_ended(pid))
  session$wait(60000)
  expect_false(session$is_alive())
})
