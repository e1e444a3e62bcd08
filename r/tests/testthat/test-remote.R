# Takes long: not with scripts/test --quick.
# Daemons that come over the network, which is the loopback here: an agent
# stands between them and the dispatcher.

# The status of a command; 124 where it has not come back.
in_shell <- function(command) {
  suppressWarnings(system2("sh", c("-c", shQuote(command)), stdout = FALSE,
                           stderr = FALSE, timeout = 120))
}

test_that("launch_remote() prints the command of the seed, and a credential", {
  set_daemons(2, url = "tcp://127.0.0.1:0")
  urls <- nextget("urls")
  commands <- launch_remote(1:2)

  expect_s3_class(commands, "miraiLaunchCmd")
  expect_type(unclass(commands), "character")
  lines <- printed(commands)
  expect_identical(lines[c(1, 4:6, 7, 10:12)],
                   c("[1]", "TENKAI", "true", "", "[2]", "TENKAI", "true", ""))
  for (i in 1:2) {
    expect_match(lines[6 * i - 4], paste0(
      "^Rscript -e \"tenkai::daemon\\('", urls[i], "',credential='fd:3'",
      ",rs=c\\(10407(,-?[0-9]+){6}\\)\\)\" 3<<'TENKAI' &&$"
    ))
    expect_match(lines[6 * i - 3], "^dGVua2Fp[A-Za-z0-9_-]+$")
  }
  expect_true(lines[3] != lines[9])
})

test_that("a command of launch_remote() can be sent to the background", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  # What system(wait = FALSE) makes of it, which has no time limit.
  expect_identical(in_shell(paste(launch_remote(1), "&")), 0L)

  expect_identical(evaluated(6 * 7), 42)
})

test_that("a command of launch_remote() says by its status that no daemon came of it", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  command <- launch_remote(1)
  daemons(0)

  expect_identical(in_shell(command), 1L)
})

test_that("launch_remote() passes arguments on", {
  set_daemons(1, url = "tcp://127.0.0.1:0", maxtasks = 100)
  expect_match(launch_remote(1, cleanup = FALSE),
               ",cleanup=FALSE,maxtasks=100,rs=c(", fixed = TRUE)
  expect_match(launch_remote(1, maxtasks = 5), ",maxtasks=5,rs=c(",
               fixed = TRUE)
  expect_identical(unclass(launch_remote("tcp://127.0.0.1:5",
                                         .compute = "unset")),
                   "Rscript -e \"tenkai::daemon('tcp://127.0.0.1:5')\"")
})

for (shell in c("sh", "dash", "bash", "zsh")) {
  test_that(paste("what launch_remote() prints can be pasted into", shell), {
    skip_if(!nzchar(Sys.which(shell)), paste(shell, "is not installed"))
    set_daemons(1, url = "tcp://127.0.0.1:0")
    paste_into(shell, launch_remote(1))

    expect_identical(evaluated(6 * 7), 42)
  })
}

for (shell in c("sh", "dash", "bash", "zsh", "csh", "tcsh")) {
  test_that(paste("the form for standard input can be pasted into", shell), {
    skip_if(!nzchar(Sys.which(shell)), paste(shell, "is not installed"))
    set_daemons(1, url = "wss://127.0.0.1:0")
    paste_into(shell, launch_remote(1, credential = "stdin"))
    expect_true(wait_for(function() status()$daemons[, "online"] == 1))

    expect_identical(evaluated(6 * 7), 42)
  })
}

# A daemon beside an agent, at a URL of the profile; its pid and the agent's.
launch_agent <- function(i = 1, ...) {
  paste_into("sh", launch_remote(i, ...))
  wait_for(function() status()$daemons[i, "online"] == 1)
}

# A shell has begun it with the signal ignored, which R 4.5 leaves so.
test_that("a daemon in the background can be interrupted", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  expect_true(launch_agent())
  folder <- set_folder()

  m <- mirai({ file.create(file); while (TRUE) sqrt(2) },
             file = file.path(folder, "begun"))
  expect_true(wait_for(function() file.exists(file.path(folder, "begun"))))
  stop_mirai(m)
  after <- mirai(6 * 7)

  expect_true(wait_for(function() !unresolved(after)))
  expect_identical(after$data, 42)
  expect_identical(status()$daemons[[1, "instance"]], 1L)
})

for (url in c("tcp://127.0.0.1:0", "ws://127.0.0.1:0/path",
              "tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/path")) {
  scheme <- sub(":.*", "", url)

  test_that(paste("tasks of every size go over", scheme), {
    set_daemons(1, url = url)
    expect_true(launch_agent())

    for (n in c(0, 1, 1e3, 131072, 131073, 655360, 1e6)) {
      x <- as.numeric(seq_len(n))
      expect_identical(evaluated(x, x = x), x)
    }
    expect_identical(unname(status()$daemons[1L, -1L]), c(1L, 1L, 7L, 7L))
  })

  test_that(paste("80 MB go over", scheme), {
    set_daemons(1, url = url)
    expect_true(launch_agent())
    x <- as.numeric(1:1e7)
    expect_identical(evaluated(x, x = x), x)
  })

  test_that(paste("errors, interrupts and time-outs go over", scheme), {
    set_daemons(1, url = url)
    expect_true(launch_agent())
    expect_identical(printed(evaluated(f(1), f = function(x) stop("oh"))),
                     "'miraiError' chr Error in f(1): oh")
    expect_true(is_error_code(evaluated(Sys.sleep(600), .timeout = 200), 5L))
    m <- mirai(Sys.sleep(600))
    expect_true(wait_for(function() status()$daemons[, "assigned"] == 3))
    stop_mirai(m)
    expect_identical(evaluated("free again"), "free again")
  })

  test_that(paste("an R that dies is known over", scheme), {
    set_daemons(1, url = url, retries = 0)
    expect_true(launch_agent())
    value <- evaluated(quit(status = 4))
    expect_true(is_error_code(value, 19L))
    expect_match(reason_of(value), "exit code 4")
    expect_true(wait_for(function() status()$daemons[, "online"] == 0))
    expect_true(launch_agent())
    value <- evaluated({ tools::pskill(Sys.getpid(), 11L); Sys.sleep(600) })
    expect_match(reason_of(value), "SIGSEGV|signal 11")
  })

  test_that(paste("several slots share what they can over", scheme), {
    set_daemons(2, url = url)
    paste_into("sh", launch_remote(1))
    paste_into("sh", launch_remote(2))
    expect_true(wait_for(function() all(status()$daemons[, "online"] == 1)))
    everywhere(offset <- 10)
    expect_identical(lapply(1:6, function(i) evaluated(offset + i, i = i)),
                     as.list(10 + 1:6))
  })
}

test_that("a second daemon at a URL is sent away, and the first goes on", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  expect_true(launch_agent())
  pid <- evaluated(Sys.getpid())
  output <- suppressWarnings(system(extended(launch_remote(1), "2>&1"),
                                    intern = TRUE, timeout = 120))

  expect_match(output, "is taken by another daemon", all = FALSE)
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a credential goes into no folder where others could exchange it", {
  set_daemons(1, url = "tls+tcp://127.0.0.1:0")
  folder <- set_folder()
  file <- file.path(folder, "daemon.cred")
  place <- paste0("@", file)
  Sys.chmod(folder, "777", use_umask = FALSE)

  expect_error(launch_remote(1, credential = place),
               "can be written to by others, who could exchange what is in it")
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE),
                   character())
  expect_error(daemons(1, url = "tls+tcp://127.0.0.1:0", credential = place,
                       .compute = "kept"), "can be written to by others")
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE),
                   character())

  Sys.chmod(folder, "700", use_umask = FALSE)
  command <- as.character(launch_remote(1, credential = place))
  expect_match(command, place, fixed = TRUE)
  expect_identical(format(file.mode(file)), "600")
  expect_error(launch_remote(1, credential = place), "exists already")
  expect_length(readLines(file), 1L)
})

test_that("a daemon with nobody at its URL says so and ends", {
  lines <- run_session("tenkai::daemon('tcp://127.0.0.1:1')")
  expect_true(any(grepl("6 | Connection refused", lines, fixed = TRUE)))
})

test_that("tenkai agent runs several daemons", {
  set_daemons(2, url = "ws://127.0.0.1:0")
  urls <- nextget("urls")
  agent <- tenkai:::find_program()
  file <- tempfile()
  at_end(unlink(file))
  file.create(file)
  Sys.chmod(file, "600", use_umask = FALSE)
  writeLines(job_credential(1:2), file)
  system(sprintf(paste("%s agent --daemons 2 --url %s --url %s",
                       "--credential @%s >/dev/null 2>&1 &"),
                 agent, urls[1], urls[2], file))
  expect_true(wait_for(function() all(status()$daemons[, "online"] == 1)))
  expect_identical(lapply(1:6, function(i) evaluated(i, i = i)), as.list(1:6))
  # A dead R comes back without a new agent.
  expect_true(is_error_code(evaluated(quit()), 19L))
  expect_true(wait_for(function() sum(status()$daemons[, "instance"]) == 3L))
})

dial <- function(port) {
  socketConnection("127.0.0.1", port, open = "r+b", blocking = FALSE)
}

test_that("garbage on a socket disturbs nobody", {
  set_daemons(1, url = "tcp://127.0.0.1:0")
  expect_true(launch_agent())
  port <- as.integer(sub(".*:", "", nextget("urls")))
  running <- mirai({ Sys.sleep(0.5); "undisturbed" })
  staying <- lapply(1:15, function(i) dial(port))
  at_end(for (each in staying) close(each))
  for (i in 1:30) {
    stranger <- if (i %% 2) dial(port) else staying[[i / 2]]
    try(writeBin(as.raw(sample(0:255, sample.int(5000, 1), TRUE)), stranger),
        TRUE)
    if (i %% 2) close(stranger)
  }
  for (text in c("GET / HTTP/1.1\r\n\r\n", "\x54\x6b\x01\x01", "")) {
    stranger <- dial(port)
    try(writeBin(charToRaw(text), stranger), TRUE)
    close(stranger)
  }

  expect_identical(value_of(running), "undisturbed")
  expect_identical(evaluated("next"), "next")
  expect_identical(unname(status()$daemons[, c("online", "instance")]),
                   c(1L, 1L))
})

test_that("garbage on a ws:// port disturbs nobody", {
  set_daemons(1, url = "ws://127.0.0.1:0/p")
  expect_true(launch_agent())
  port <- as.integer(sub(".*:([0-9]+)/.*", "\\1", nextget("urls")))
  for (text in c("GET / HTTP/1.1\r\n\r\n", "GET /p HTTP/1.1\r\n\r\n",
                 strrep("x", 20000),
                 "\r\n\r\n", paste0("GET /", strrep("a", 9000),
                                    " HTTP/1.1\r\n"))) {
    stranger <- dial(port)
    try(writeBin(charToRaw(text), stranger), silent = TRUE)
    close(stranger)
  }
  expect_identical(evaluated("next"), "next")
})
