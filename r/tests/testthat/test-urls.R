test_that("host_url() is the host's name with a scheme and a port", {
  host <- Sys.info()[["nodename"]]
  expect_identical(host_url(), paste0("tcp://", host, ":0"))
  expect_identical(host_url(port = 5555), paste0("tcp://", host, ":5555"))
  expect_identical(host_url(ws = TRUE), paste0("ws://", host, ":0"))
  expect_identical(host_url(tls = TRUE), paste0("tls+tcp://", host, ":0"))
  expect_identical(host_url(ws = TRUE, tls = TRUE, port = 1),
                   paste0("wss://", host, ":1"))
})

test_that("host_url() takes an address, an interface, and a range of ports", {
  expect_identical(host_url(host = "127.0.0.1"), "tcp://127.0.0.1:0")
  expect_identical(host_url(host = "localhost"), "tcp://localhost:0")
  expect_identical(host_url(host = "::1"), "tcp://[::1]:0")
  expect_identical(host_url(host = "lo"), "tcp://127.0.0.1:0")
  port <- as.integer(sub(".*:", "", host_url(port = c(60000, 60010))))
  expect_true(port %in% 60000:60010)
  expect_error(host_url(host = "no-such-interface"), "lo 127.0.0.1",
               fixed = TRUE)
  expect_error(host_url(port = 70000), "'port' must be")
  expect_error(host_url(port = "a"), "'port' must be")
  expect_error(host_url(port = 1:3), "'port' must be")
})

test_that("a port range leaves out ports in use", {
  taken <- serverSocket(port <- 20000L + sample.int(9999L, 1L))
  at_end(close(taken))
  expect_error(host_url(port = c(port, port)), "is free")
})

test_that("local_url() is new each time", {
  expect_match(local_url(), "^abstract://[0-9a-f]{24}$")
  expect_true(local_url() != local_url())
})
