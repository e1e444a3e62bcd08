# The URLs that daemons dial: their forms, their tokens, new ones.

test_that("URLs that cannot be are refused with their cause, at once", {
  at_end(daemons(0))
  taken <- serverSocket(port <- 20000L + sample.int(9999L, 1L))
  at_end(close(taken))

  expect_error(daemons(url = "http://127.0.0.1:1"), "http")
  expect_error(daemons(url = "nonsense"), "nonsense")
  expect_error(daemons(url = "tcp://127.0.0.1:99999"), "99999")
  expect_error(daemons(url = paste0("tcp://127.0.0.1:", port)),
               "10 | Address in use", fixed = TRUE)
  expect_error(daemons(url = paste0("tcp://127.0.0.1:", port)),
               as.character(port))
  expect_error(daemons(url = paste0("tcp://127.0.0.1:", port),
                       dispatcher = FALSE),
               "10 | Address in use", fixed = TRUE)
  expect_error(daemons(url = paste0("ws://127.0.0.1:", port)),
               "10 | Address in use", fixed = TRUE)
  expect_error(daemons(url = "tcp://192.0.2.1:0", insecure = TRUE),
               "15 | Address invalid", fixed = TRUE)
  expect_identical(status()$connections, 0L)
  expect_identical(evaluated("undisturbed"), "undisturbed")
})

test_that("it is said once that others can read what goes over a plain URL", {
  at_end(daemons(0))
  for (url in c("tcp://0.0.0.0:0", "ws://:0", "tcp://[::]:0")) {
    expect_message(daemons(url = url), "can be read, and changed, by others")
    daemons(0)
    expect_silent(daemons(url = url, insecure = TRUE))
    daemons(0)
  }
  for (url in c("tcp://127.0.0.1:0", "wss://:0", "tls+tcp://0.0.0.0:0")) {
    expect_silent(daemons(url = url))
    daemons(0)
  }
})

test_that("one URL for n daemons becomes n", {
  at_end(daemons(0))
  daemons(3, url = "ws://127.0.0.1:0/base")
  urls <- nextget("urls")
  expect_match(urls, "^ws://127\\.0\\.0\\.1:[1-9][0-9]*/base/[123]$")
  expect_length(unique(sub("/base.*", "", urls)), 1L)
  expect_identical(urls, rownames(status()$daemons))
  daemons(0)

  daemons(2, url = "tcp://127.0.0.1:0")
  expect_match(nextget("urls"), "^tcp://127\\.0\\.0\\.1:[1-9][0-9]*$")
  expect_length(unique(nextget("urls")), 2L)
  daemons(0)

  daemons(2, url = "abstract://tenkai-test-slots")
  expect_identical(nextget("urls"),
                   paste0("abstract://tenkai-test-slots/", 1:2))
})

test_that("one URL for one daemon stays as it is, and so does a vector", {
  at_end(daemons(0))
  daemons(url = "abstract://tenkai-test-one")
  expect_identical(nextget("urls"), "abstract://tenkai-test-one")
  daemons(0)
  urls <- c("abstract://tenkai-test-a", "abstract://tenkai-test-b")
  expect_identical(unclass(daemons(url = urls))[1], 2L)
  expect_identical(nextget("urls"), urls)
})

test_that("a vector of URLs with port 0 shows every real port", {
  at_end(daemons(0))
  daemons(url = c("ws://127.0.0.1:0/a", "ws://127.0.0.1:0/b",
                  "tcp://127.0.0.1:0"))
  urls <- nextget("urls")
  expect_false(any(grepl(":0(/|$)", urls)))
})

test_that("IPv6 addresses stand in brackets", {
  skip_if_not(file.exists("/proc/net/if_inet6") &&
                any(grepl("00000001 01 80", readLines("/proc/net/if_inet6"))),
              "this machine has no IPv6 loopback")
  set_daemons(url = "tcp://[::1]:0")
  expect_match(nextget("urls"), "^tcp://\\[::1\\]:[1-9][0-9]*$")
  launch_local(1)
  expect_identical(evaluated("six"), "six")
})

test_that("local URLs may also be files", {
  url <- paste0("ipc://", file.path(set_folder(), "socket"))
  set_daemons(url = url)
  expect_identical(nextget("urls"), url)
  launch_local(1)
  expect_identical(evaluated("through a file"), "through a file")
})

test_that("token = TRUE makes URLs that cannot be guessed", {
  at_end(daemons(0))
  daemons(2, url = "ws://127.0.0.1:0", token = TRUE)
  expect_match(nextget("urls"), "/[12]/[0-9a-f]{24}$")
  expect_match(saisei(1), "^ws://127.0.0.1:[0-9]+/1/[0-9a-f]{24}$")
  launch_local(1)
  expect_identical(evaluated("still reached"), "still reached")
})

test_that("saisei() gives a slot a new URL, once nobody is there", {
  expect_null(saisei(1))
  set_daemons(2)
  old <- nextget("urls")

  expect_null(saisei(1))
  expect_null(saisei(0))
  expect_null(saisei(3))
  new <- saisei(1, force = TRUE)
  expect_match(new, "^abstract://[0-9a-f]{24}$")
  expect_identical(nextget("urls"), c(new, old[2]))
  expect_identical(rownames(status()$daemons), c(new, old[2]))
  expect_identical(unname(status()$daemons[1, c("online", "instance")]),
                   c(0L, -1L))
  launch_local(1)
  expect_true(wait_for(function() status()$daemons[1, "online"] == 1))
  expect_identical(unname(status()$daemons[1, "instance"]), 2L)
})

test_that("saisei(force = TRUE) resolves what runs to 7, and counts it", {
  set_daemons(1)
  m <- mirai(Sys.sleep(600))
  expect_true(wait_for(function() status()$daemons[, "assigned"] == 1))
  saisei(1, force = TRUE)

  expect_true(is_error_code(value_of(m), 7L))
  expect_identical(unname(status()$daemons[, "complete"]), 1L)
})

test_that("saisei() replaces the token of ws://, and leaves tcp:// alone", {
  at_end(daemons(0))
  daemons(2, url = "ws://127.0.0.1:0/base")
  base <- nextget("urls")[1]
  once <- saisei(1)
  twice <- saisei(1)
  expect_match(once, paste0("^", base, "/[0-9a-f]{24}$"))
  expect_match(twice, paste0("^", base, "/[0-9a-f]{24}$"))
  expect_true(once != twice)
  daemons(0)
  daemons(1, url = "tcp://127.0.0.1:0")
  expect_null(saisei(1))
})
