# A notice that the job of a daemon ends soon: SIGUSR1, as batch systems send it.

parent_of_self <- function() {
  behind_name <- sub(".*\\) ", "", readLines("/proc/self/stat"))
  as.integer(strsplit(behind_name, " ")[[1L]][2L])
}

test_that("a daemon whose agent hears of the end does what it has, and goes", {
  set_daemons(1, url = "tcp://127.0.0.1:0",
              remote = remote_config("env", ".", quote = FALSE))
  agent <- evaluated(parent(), parent = parent_of_self)
  file <- file.path(set_folder(), "end")
  long <- mirai({
    file.create(paste0(file, "-begun"))
    while (!file.exists(file)) Sys.sleep(0.02)
    Sys.getpid()
  }, file = file)
  expect_true(wait_for(function() file.exists(paste0(file, "-begun"))))

  expect_true(tools::pskill(agent, tools::SIGUSR1))
  expect_true(tools::pskill(agent, tools::SIGUSR2))
  short <- mirai(Sys.getpid())
  # It has passed the notice on when it sleeps again.
  expect_true(wait_for(function() is_asleep(agent)))
  expect_true(unresolved(long))
  file.create(file)
  expect_type(value_of(long), "integer")
  expect_true(wait_for(function() !is_running(agent)))
  expect_true(unresolved(short))

  launch_remote(1, remote = remote_config("env", ".", quote = FALSE))
  expect_type(value_of(short), "integer")
  expect_false(value_of(short) == value_of(long))
})

test_that("an idle one goes at once", {
  set_daemons(1, url = "tcp://127.0.0.1:0",
              remote = remote_config("env", ".", quote = FALSE))
  agent <- evaluated(parent(), parent = parent_of_self)
  expect_true(tools::pskill(agent, tools::SIGUSR1))
  expect_true(wait_for(function() !is_running(agent)))
})

test_that("R does not save its workspace and quit where all processes are told", {
  set_daemons(1)
  told <- evaluated({
    pid <- Sys.getpid()
    before <- system("kill -USR1 $PPID; kill -USR2 $PPID; kill -USR1 $$")
    c(pid, before)
  })
  expect_identical(told[2L], 0L)
  expect_identical(evaluated(Sys.getpid()), told[1L])
})
