# What package targets calls, without it: tests/carry/test-targets.R has the rest.

# A controller for the rest of a test.
set_controller <- function(..., frame = parent.frame()) {
  controller <- tenkai_controller(...)
  do.call(on.exit, list(bquote(.(controller)$terminate()), TRUE, FALSE),
          envir = frame)
  controller
}

push <- function(controller, name, command, ...) {
  controller$push(command, list(...), substitute = FALSE, name = name,
                  scale = TRUE, throttle = TRUE)
}

# The next that is there, waited for as targets does.
next_of <- function(controller) {
  while (is.null(popped <- controller$pop(scale = TRUE, throttle = TRUE))) {
    controller$wait(mode = "one", seconds_timeout = 0.5, scale = TRUE,
                    throttle = TRUE)
  }
  popped
}

test_that("a controller gives back what a task has made, and its sums", {
  controller <- set_controller(n = 1)
  expect_invisible(controller$validate())
  expect_null(controller$summary())
  controller$start()

  expect_true(controller$empty())
  expect_null(controller$pop())
  controller$push(x + offset, list(x = 1), list(offset = 2), name = "three")
  expect_false(controller$empty())
  popped <- next_of(controller)

  expect_identical(popped$name, "three")
  expect_identical(popped$result, list(3))
  expect_identical(popped$status, "success")
  expect_identical(popped$error, NA_character_)
  expect_true(controller$empty())
  sums <- controller$summary()
  expect_identical(sums[c("controller", "tasks", "success")],
                   data.frame(controller = "default", tasks = 1L, success = 1L))
  expect_identical(sums$seconds, popped$seconds)
})

test_that("what a task finds in the global environment is gone after it", {
  controller <- set_controller(n = 1)
  controller$push(of_task, globals = list(of_task = 2), name = "has it")
  expect_identical(next_of(controller)$result, list(2))

  push(controller, "has it no more", quote(exists("of_task")))
  expect_identical(next_of(controller)$result, list(FALSE))
})

test_that("a wait for a task has an end", {
  controller <- set_controller(n = 1)
  expect_false(controller$wait(mode = "one", seconds_timeout = 600))
  push(controller, "long", quote(Sys.sleep(600)))

  expect_false(controller$wait(mode = "one", seconds_timeout = 0.1))
  expect_null(controller$pop())
  expect_error(controller$wait(mode = "all"), "'mode' must be \"one\"")
})

test_that("a controller takes two tasks for each daemon, and others wait", {
  controller <- set_controller(n = 2)
  controller$start()
  expect_false(controller$saturated(controller = NULL))
  push(controller, "long", quote(Sys.sleep(600)))
  for (name in c("a", "b", "c")) push(controller, name, name)
  expect_true(controller$saturated(controller = "of no interest"))
  expect_error(push(controller, "long", 1), "a task 'long' already")

  for (name in c("d", "e", "f")) {
    controller$push_backlog(name, controller = NULL)
  }
  expect_identical(controller$pop_backlog(), character())
  expect_identical(next_of(controller)$result, list("a"))
  expect_identical(controller$pop_backlog(), "d")
  push(controller, "d", "d")
  expect_identical(controller$pop_backlog(), character())
  for (name in c("b", "c")) expect_identical(next_of(controller)$name, name)
  expect_identical(controller$pop_backlog(), c("e", "f"))
  expect_identical(controller$pop_backlog(), character())
})

test_that("packages that a task attaches stay, if nothing else is said", {
  for (cleanup in list(NULL, TRUE)) {
    controller <- set_controller(n = 1, cleanup = cleanup)
    push(controller, "attach", quote(library(splines)))
    next_of(controller)
    push(controller, "look", quote("package:splines" %in% search()))
    expect_identical(next_of(controller)$result, list(is.null(cleanup)))
    controller$terminate()
  }
})

test_that("a task that has no value says why", {
  controller <- set_controller(n = 1, retries = 1)
  push(controller, "dead", quote(tools::pskill(Sys.getpid(), 9)))
  dead <- next_of(controller)

  expect_identical(dead$status, "error")
  expect_identical(dead$code, 19L)
  expect_match(dead$error, "killed by signal 9 (SIGKILL)", fixed = TRUE)
  expect_match(dead$error, "tried 2 times")

  push(controller, "wrong", quote(stop("oh")))
  wrong <- next_of(controller)
  expect_identical(wrong$error, "oh")
  expect_match(wrong$trace, "stop(\"oh\")", fixed = TRUE)
  expect_identical(controller$summary()[c("crash", "error")],
                   data.frame(crash = 1L, error = 1L))
})

test_that("the time of a task begins on a daemon, and stops it", {
  set_daemons(url = "tcp://127.0.0.1:0", n = 1, .compute = "late")
  controller <- set_controller(name = "late")
  file <- tempfile()
  at_end(unlink(file))
  controller$push({
    file.create(file)
    Sys.sleep(600)
  }, list(file = file), name = "long", seconds_timeout = 0.2)
  controller$wait(seconds_timeout = 1)
  expect_null(controller$pop())

  launch_local(nextget("url", "late"), .compute = "late")
  popped <- next_of(controller)

  expect_identical(popped$error, "timed out after 0.2 s (seconds_timeout)")
  expect_identical(popped$code, 5L)
  expect_true(file.exists(file))
  controller$push(1 + 1, name = "quick", seconds_timeout = 600)
  expect_identical(next_of(controller)$result, list(2))
})

test_that("a group has a controller for each profile", {
  group <- tenkai_controller_group(
    tenkai_controller(n = 1, name = "cpu"),
    tenkai_controller(n = 1, name = "gpu")
  )
  at_end(group$terminate())
  group$start()
  expect_identical(printed(group), "< tenkai controller | cpu, gpu >")

  group$push(Sys.getpid(), name = "a", controller = "gpu")
  on_gpu <- next_of(group)
  for (name in c("b", "more")) {
    group$push(Sys.sleep(600), name = name, controller = "gpu")
  }
  expect_true(group$saturated(controller = "gpu"))
  expect_false(group$saturated(controller = NULL))
  group$push_backlog("d", controller = "gpu")
  group$push_backlog("e", controller = "cpu")
  expect_identical(group$pop_backlog(), "e")
  group$push(Sys.getpid(), name = "c")
  on_cpu <- next_of(group)

  expect_identical(on_gpu$controller, "gpu")
  expect_identical(on_cpu$controller, "cpu")
  expect_false(identical(on_gpu$result, on_cpu$result))
  expect_identical(group$summary()$tasks, c(1L, 1L))
  expect_error(group$push(1, name = "f", controller = "tpu"),
               "no controller 'tpu' in the group, only 'cpu', 'gpu'")
})

test_that("the end of a controller ends its tasks and daemons", {
  controller <- set_controller(n = 1, name = "own")
  controller$push(Sys.getpid(), name = "pid")
  pid <- next_of(controller)$result[[1L]]
  push(controller, "long", quote(Sys.sleep(600)))
  expect_true(daemons_set("own"))

  controller$terminate()

  expect_false(daemons_set("own"))
  expect_true(wait_for(function() !is_running(pid)))
  expect_true(controller$empty())
  controller$push("again", name = "pid")
  expect_identical(next_of(controller)$result, list("again"))
  expect_error(controller$push(stop("oh"), name = 1), "'name' must be a single")
})

test_that("daemons that are set already are used as they are, and stay", {
  set_daemons(1, .compute = "shared")
  controller <- set_controller(n = 5, name = "shared")
  controller$start()
  for (name in c("a", "b")) push(controller, name, quote(Sys.sleep(600)))
  expect_true(controller$saturated())

  controller$terminate()

  expect_identical(value_of(mirai("free", .compute = "shared")), "free")
})

test_that("a group of which one cannot start leaves none", {
  group <- tenkai_controller_group(
    tenkai_controller(n = 1, name = "fine"),
    tenkai_controller(name = "nowhere")
  )

  expect_error(group$start(), "the controller 'nowhere' has no daemons")

  expect_false(daemons_set("fine"))
})

test_that("a controller that is sent away takes nothing with it", {
  controller <- set_controller(n = 1, pass = "a secret of mine", name = "sent")
  push(controller, "long", quote(Sys.sleep(600)))

  bytes <- serialize(controller, NULL)

  expect_lt(length(bytes), 50000)
  expect_length(grepRaw("a secret of mine", bytes, fixed = TRUE), 0L)
  push_elsewhere <- mirai(
    tryCatch(controller$validate(), error = conditionMessage),
    controller = controller
  )
  expect_match(value_of(push_elsewhere), "controller is of another R session")
})

test_that("controllers are refused what they cannot use", {
  expect_error(tenkai_controller(1), "'profile' must be a single string")
  expect_error(tenkai_controller(n = 0), "'n' must be a number of at least 1")
  expect_error(tenkai_controller(n = 1, name = ""), "'name' must be a single")
  expect_error(tenkai_controller(n = 1, workers = 2),
               "arguments of daemons(), not 'workers'", fixed = TRUE)
  expect_error(tenkai_controller("a", 1, 2), "not without a name")
  expect_error(tenkai_controller_group(), "one controller or more")
  expect_error(tenkai_controller_group(1), "must be controllers of")
  one <- set_controller(n = 1)
  expect_error(tenkai_controller_group(one, one), "the name 'default'")
  expect_error(one$push(1, name = "a", seconds_timeout = "x"),
               "'seconds_timeout' must be a number")
})
