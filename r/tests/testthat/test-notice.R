# A notice that the job of a daemon ends soon: SIGUSR1, as batch systems send it.

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
