# Takes long: not with scripts/test --quick.
# Launching by plugins. What they run runs on this machine, so that each test
# needs nothing else; the flows have other machines.

# The launches of a profile.
launches <- function(...) attr(status(...), "launches", exact = TRUE)

all_online <- function(n = nrow(status()$daemons)) {
  wait_for(function() sum(status()$daemons[, "online"]) == n)
}

# The cause and the message of the only launch, when it has failed.
failure <- function() {
  expect_true(wait_for(function() identical(launches()$state, "failed")))
  launches()
}

# What looking at the profile says, until something of it matches.
told <- function(pattern) {
  said <- character()
  withCallingHandlers(
    wait_for(function() {
      status()
      any(grepl(pattern, said))
    }),
    message = function(condition) {
      said <<- c(said, conditionMessage(condition))
      invokeRestart("muffleMessage")
    }
  )
  said
}

env <- function(...) remote_config("env", ..., quote = FALSE)

test_that("remote_config() and ssh_config() give what the seed's give", {
  remote <- remote_config()
  expect_identical(remote, list(command = NULL, args = c("", "."),
                                rscript = "Rscript"))
  expect_identical(
    remote_config("srun", c("-n 1", "."), "R/Rscript")[c("command", "args",
                                                         "rscript")],
    list(command = "srun", args = c("-n 1", "."), rscript = "R/Rscript")
  )
  expect_identical(
    ssh_config(c("ssh://a:222", "ssh://me@b"), timeout = 5)[1:3],
    list(command = "ssh",
         args = list(c("-o ConnectTimeout=5 -Tp 222", "a", "."),
                     c("-o ConnectTimeout=5 -Tp 22", "me@b", ".")),
         rscript = "Rscript")
  )
  expect_error(remote_config("x", "y"),
               "'.' must be an element of the character vector(s) supplied to",
               fixed = TRUE)
})

test_that("what is no configuration is refused, and says what came", {
  expect_error(ssh_config("ssh://a b"), "'remotes' must be machines such as")
  expect_error(ssh_config("-oProxyCommand=touch x"), "'remotes' must be")
  expect_error(ssh_config("ssh://$(touch x)"), "'remotes' must be")
  expect_error(ssh_config("a", timeout = "b"), "'timeout' must be a number")
  expect_error(remote_config("x", ".", credential = "fd:3"),
               "'credential' must be \"stdin\" or \"file\"")
  expect_silent(ssh_config("ssh://me@[::1]:22"))
  expect_silent(ssh_config("[fe80::1]"))
  expect_silent(ssh_config("node-1.example.org"))
  expect_error(daemons(1, remote = env(".")), "'remote' needs a 'url'")
  expect_error(daemons(1, url = "tcp://127.0.0.1:0", remote = "a"),
               "'remote' must come from ssh_config\\(\\), slurm_config\\(\\)")
  set_daemons(1, url = "ws://127.0.0.1:0")
  expect_error(launch_remote(1, remote = list()), "'remote' must come from")
  expect_error(launch_remote("ws://127.0.0.1:1", remote = env(".")),
               "launching needs daemons that are set at this URL")
})

test_that("daemons(remote =) launches a daemon for each URL", {
  expect_identical(unclass(set_daemons(2, url = "wss://127.0.0.1:0",
                                       remote = env(".")))[1L], 2L)
  expect_true(all_online(2))

  expect_identical(evaluated(6 * 7), 42)
  expect_identical(launches()$state, c("joined", "joined"))
  expect_identical(launches()$daemons, c("1", "2"))
  expect_identical(launches()$by, c("command", "command"))
})

test_that("launch_remote() launches, and returns what was run", {
  set_daemons(2, url = "tcp://127.0.0.1:0", cleanup = FALSE)
  run <- launch_remote(2, remote = env(c("SOMETHING=here", ".")))
  expect_s3_class(run, "miraiLaunchCmd")
  expect_match(run, paste0(
    "^env SOMETHING=here Rscript -e \"tenkai::daemon\\('", nextget("urls")[2L],
    "',credential='@/[^']*',cleanup=FALSE,rs=c\\(10407"
  ))
  expect_false(grepl("dGVua2Fp", run))

  expect_true(wait_for(function() status()$daemons[2L, "online"] == 1))
  expect_identical(evaluated(Sys.getenv("SOMETHING")), "here")
  path <- sub(".*credential='@([^']*)'.*", "\\1", run)
  expect_true(wait_for(function() !file.exists(path)))
})

test_that("launch_remote() launches for a dispatcher of somebody else, too", {
  url <- local_url()
  echo <- remote_config("echo", c("to", ".", ">>", "'#'"))
  command <- paste0("echo to \"Rscript -e \\\"tenkai::daemon('", url,
                    "',maxtasks=3)\\\"\" >> '#'")
  shown <- launch_remote(url, remote = echo, maxtasks = 3, dry_run = TRUE)
  expect_s3_class(shown, "miraiLaunchCmd")
  expect_identical(unclass(shown), command)

  set_daemons(1, url = url, .compute = "theirs")
  quoted <- remote_config(paste(env(".")$command, "sh"), c("-c", "."),
                          rscript = env(".")$rscript)
  ran <- launch_remote(url, remote = quoted, .compute = "not set")
  expect_length(ran, 1L)
  expect_identical(evaluated("there", .compute = "theirs"), "there")

  expect_error(launch_remote(c(url, url), remote = remote_config(
    "echo", list(c("a", "."), c("b", "."), c("c", ".")))),
    "'args' and/or 'url' must be of length 1 or the same length")
  expect_warning(launch_remote("tcp://127.0.0.1:9", remote = remote_config(
    "true", ".")), "has no credential")
  expect_error(launch_remote(url, remote = ssh_config("h", tunnel = TRUE)),
               "a tunnel needs daemons that are set here")
  expect_error(launch_remote(url, remote = slurm_config()),
               "launching needs daemons that are set at this URL")
})

test_that("without dispatcher any number is launched at the one URL", {
  set_daemons(url = "ws://127.0.0.1:0", dispatcher = FALSE,
              remote = env(list(".", ".")))
  expect_true(wait_for(function() status()$connections == 2L))
  expect_identical(launches()$state, c("joined", "joined"))
})

test_that("a dry run shows the command and runs nothing", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  shown <- launch_remote(1, remote = env("."), dry_run = TRUE)
  expect_match(shown, "^env Rscript -e \"tenkai::daemon")
  expect_null(launches())
  again <- launch_remote(1, remote = env("."), dry_run = TRUE)
  stream <- "rs=c\\([-0-9,]*\\)"
  expect_identical(regmatches(shown, regexpr(stream, shown)),
                   regmatches(again, regexpr(stream, again)))
})

test_that("a daemon at a URL of this machine has joined, without a credential", {
  set_daemons(url = paste0("ipc://", tempfile("s")), remote = env("."))
  expect_true(all_online())
  expect_identical(launches()$state, "joined")
  expect_error(launch_remote(1, remote = ssh_config("a"), dry_run = TRUE),
               "a daemon on another machine cannot reach 'ipc://")
})

test_that("a launch for a slot that is taken says so", {
  skip_if(!nzchar(Sys.which("python3")), "python3 is not installed")
  root <- Sys.getenv("TENKAI_TEST_ROOT", "../../..")
  plugins <- normalizePath(file.path(root, "tests", "data", "plugins"),
                           mustWork = FALSE)
  skip_if(!dir.exists(plugins), "the plugin of the documentation is not here")
  Sys.setenv(TENKAI_PLUGINS = plugins)
  at_end(Sys.unsetenv("TENKAI_PLUGINS"))
  tiny <- list(command = "tiny", rscript = "Rscript", plugin = "tiny",
               each = list(list()))
  set_daemons(1, url = "ws://127.0.0.1:0", remote = tiny)
  expect_true(all_online(1))
  suppressMessages({
    launch_remote(1, remote = tiny)
    expect_true(wait_for(function() identical(launches()$state[2L], "failed"), 30))
  })
  # This plugin shows no log, so that the code is all there is to judge by.
  expect_match(launches()$message[2L], "exit code 1")
  expect_identical(launches()$state[1L], "joined")
})

test_that("a launch that is too long is refused before it is begun", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  expect_error(launch_remote(1, remote = env(c(rep("a", 1e5), "."))),
               "must be a list of texts")
  expect_error(launch_remote(1, remote = env(c(strrep("a", 5e6), "."))),
               "too long for a plugin")
  expect_identical(launches(), NULL)
})

test_that("arguments for several URLs must be as many", {
  set_daemons(3, url = "ws://127.0.0.1:0")
  expect_error(launch_remote(1:3, remote = env(list(".", "."))),
               "'args' and/or 'url' must be of length 1 or the same length")
})

test_that("a configuration that cannot work leaves no profile half set", {
  expect_error(
    daemons(2, url = "ws://127.0.0.1:0", remote = env(list(".", ".", "."))),
    "must be of length 1 or the same length"
  )
  expect_identical(status()$daemons, 0L)
})

test_that("without Rscript the cause is said, in status() and as a message", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  launch_remote(1, remote = env(".", rscript = "Rscriptless"))
  said <- told("has failed")
  expect_match(said, "launch 1 .* has failed: 'Rscriptless' was not found",
               all = FALSE)
  failed <- failure()
  expect_identical(failed$cause, "rscript_missing")
  expect_match(failed$message, "'Rscriptless' was not found")
  expect_match(paste(printed(status()), collapse = "\n"),
               "launch 1 (daemon 1, by command): rscript_missing",
               fixed = TRUE)
})

test_that("the package missing, and another version of it, are told apart", {
  set_daemons(2, url = "ws://127.0.0.1:0")
  suppressMessages({
    launch_remote(1, remote = env(c("R_LIBS=/none", "R_LIBS_USER=/none", "."),
                                bring = FALSE))
    expect_true(wait_for(function() identical(launches()$state, "failed")))
  })
  expect_identical(launches()$cause, "package_missing")

  fake <- file.path(set_folder(), "tenkai")
  writeLines(c("#!/bin/sh", "echo 9.9.9"), fake)
  Sys.chmod(fake, "755")
  suppressMessages({
    launch_remote(2, remote = env(c(paste0("TENKAI_BIN=", fake), "."),
                                bring = FALSE))
    expect_true(wait_for(function() {
      identical(launches()$state, c("failed", "failed"))
    }))
  })
  expect_identical(launches()$cause[2L], "version")
})

test_that("a command that fails shows its code and its last lines", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  suppressMessages({
    launch_remote(1, remote = remote_config("sh -c 'echo oh dear >&2; exit 7'",
                                            "."))
    failed <- failure()
  })
  expect_identical(failed$cause, "exited")
  expect_match(failed$message, "exit code 7 .*oh dear")
})

test_that("whatever bytes a command writes, status() shows them", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  suppressMessages({
    launch_remote(1, remote = remote_config(
      "printf 'a\\000b\\033[2J\\377\\n' >&2; exit 7;", "."
    ))
    failed <- failure()
  })
  expect_match(failed$message, "a\\x00b\\x1b[2J\\xff", fixed = TRUE)
})

test_that("many failures of one kind are told in one message", {
  set_daemons(20, url = "ws://127.0.0.1:0")
  said <- testthat::capture_messages({
    launch_remote(1:20, remote = remote_config("exit 3;", "."))
    wait_for(function() {
      state <- launches()$state
      all(state == "failed")
    })
    wait_for(function() {
      status()
      FALSE
    }, seconds = 1)
  })
  expect_lt(length(said), 4)
  expect_match(paste(said, collapse = ""), "other launches have failed")
})

test_that("a launch that has failed can be tried again", {
  set_daemons(1, url = "wss://127.0.0.1:0")
  suppressMessages({
    launch_remote(1, remote = env(".", rscript = "Rscriptless"))
    failure()
    launch_remote(1, remote = env("."))
    expect_true(all_online())
  })
  expect_identical(launches()$state, c("failed", "joined"))
  expect_false(any(grepl("Rscriptless", printed(status()))))
})

test_that("a plugin that is not there, or dies, is named at once", {
  folder <- set_folder()
  withr_path <- Sys.getenv("TENKAI_PLUGINS", NA)
  Sys.setenv(TENKAI_PLUGINS = folder)
  at_end(if (is.na(withr_path)) Sys.unsetenv("TENKAI_PLUGINS") else
    Sys.setenv(TENKAI_PLUGINS = withr_path))
  set_daemons(1, url = "ws://127.0.0.1:0")
  by <- function(name) {
    list(command = name, rscript = "Rscript", plugin = name, each = list(list()))
  }
  expect_error(launch_remote(1, remote = by("nowhere")),
               "there is no launcher plugin 'nowhere': it is none of ours")
  expect_error(launch_remote(1, remote = by("../evil")),
               "is not the name of a launcher plugin")

  plugin <- function(name, ...) {
    file <- file.path(folder, paste0("tenkai-plugin-", name))
    writeLines(c("#!/bin/sh", ...), file)
    Sys.chmod(file, "755")
  }
  plugin("dead", "echo I am broken >&2", "exit 9")
  expect_error(suppressMessages(launch_remote(1, remote = by("dead"))),
               "'dead' ended with exit code 9; its last lines:.*I am broken")
  plugin("babbling", "while read line; do echo what is this; done")
  expect_error(suppressMessages(launch_remote(1, remote = by("babbling"))),
               "'babbling' wrote what is no answer")
  expect_identical(evaluated(1, .compute = "none of this"), 1)
})

# A plugin of this test, by shell; a function that makes its configuration.
plugin_of <- function(name, ..., envir = parent.frame()) {
  folder <- tempfile("plugins")
  dir.create(folder)
  file <- file.path(folder, paste0("tenkai-plugin-", name))
  writeLines(c("#!/bin/sh", ...), file)
  Sys.chmod(file, "755")
  Sys.setenv(TENKAI_PLUGINS = folder)
  list(command = name, rscript = "Rscript", plugin = name, each = list(list()))
}

test_that("a plugin that is killed loses its jobs, and none is taken for one of the next", {
  at_end(Sys.unsetenv("TENKAI_PLUGINS"))
  set_daemons(2, url = "ws://127.0.0.1:0")
  launch_remote(1, remote = env("."))
  expect_true(wait_for(function() status()$daemons[1L, "online"] == 1))
  # The dispatcher has no other child: the daemon is the plugin's.
  plugin <- function() {
    pid <- nextget("pid")
    file <- sprintf("/proc/%d/task/%d/children", pid, pid)
    as.integer(unlist(strsplit(readLines(file, warn = FALSE), " ")))
  }
  old <- plugin()
  tools::pskill(old, tools::SIGKILL)
  expect_true(wait_for(function() length(plugin()) == 1L && plugin() != old))

  suppressMessages({
    launch_remote(2, remote = env(".", rscript = "Rscriptless"))
    expect_true(wait_for(function() identical(launches()$state[2L], "failed")))
  })
  expect_identical(launches()$state, c("joined", "failed"))
})

test_that("what a plugin repeats of its calls shows no credential", {
  at_end(Sys.unsetenv("TENKAI_PLUGINS"))
  echo <- c("read line", "echo '{\"id\":1,\"text\":\"x\"}'", "read line",
            "input=\"dGVua2Fp${line##*dGVua2Fp}\"")
  shown <- function() paste(unlist(launches()), collapse = "\n")

  said <- testthat::capture_messages({
    set_daemons(1, url = "ws://127.0.0.1:0",
                remote = plugin_of("crying", echo, "echo \"$input\" >&2",
                                   "exit 3"))
    expect_true(wait_for(function() identical(launches()$state, "failed")))
    wait_for(function() {
      status()
      FALSE
    }, seconds = 1)
  })
  expect_match(paste(said, shown()), "exit code 3; its last lines:.*<credential>")
  expect_false(any(grepl("dGVua2Fp", c(said, shown()), fixed = TRUE)))
  daemons(0)

  said <- testthat::capture_messages({
    set_daemons(1, url = "ws://127.0.0.1:0",
                remote = plugin_of("parrot", echo, "echo \"$input\"", "sleep 9"))
    expect_true(wait_for(function() identical(launches()$state, "failed")))
    wait_for(function() {
      status()
      FALSE
    }, seconds = 1)
  })
  expect_match(shown(), "no JSON .*<credential>")
  expect_false(any(grepl("dGVua2Fp", c(said, shown()), fixed = TRUE)))
})

test_that("a folder is no plugin, and a cause that is none stands before its message", {
  at_end(Sys.unsetenv("TENKAI_PLUGINS"))
  remote <- plugin_of("odd", "read line", "echo '{\"id\":1,\"text\":\"x\"}'",
                      "read line",
                      "printf '%s\\n' '{\"id\":2,\"error\":{\"cause\":\"a\\tb\\nc\",\"message\":\"m\"}}'",
                      "sleep 9")
  wrong <- tempfile("wrong")
  dir.create(file.path(wrong, "tenkai-plugin-odd"), recursive = TRUE)
  Sys.setenv(TENKAI_PLUGINS = paste0(wrong, "::", Sys.getenv("TENKAI_PLUGINS")))
  suppressMessages({
    set_daemons(1, url = "ws://127.0.0.1:0", remote = remote)
    expect_true(wait_for(function() identical(launches()$state, "failed")))
  })
  expect_identical(launches()$cause, "plugin")
  expect_match(launches()$message, "^a.tb.c: m$")
})

test_that("a plugin in another language brings daemons, of several R each", {
  skip_if(!nzchar(Sys.which("python3")), "python3 is not installed")
  root <- Sys.getenv("TENKAI_TEST_ROOT", "../../..")
  plugins <- normalizePath(file.path(root, "tests", "data", "plugins"),
                           mustWork = FALSE)
  skip_if(!dir.exists(plugins), "the plugin of the documentation is not here")
  Sys.setenv(TENKAI_PLUGINS = plugins)
  at_end(Sys.unsetenv("TENKAI_PLUGINS"))
  tiny <- list(command = "tiny", rscript = "Rscript", plugin = "tiny",
               each = list(list()))
  set_daemons(3, url = "wss://127.0.0.1:0", remote = tiny)

  expect_true(all_online(3))
  expect_identical(launches()$state, "joined")
  expect_identical(launches()$daemons, "1,2,3")
  both <- function(i) {
    line <- readLines("/proc/self/stat")
    c(Sys.getpid(), as.integer(strsplit(sub(".*\\) ", "", line), " ")[[1]][2]))
  }
  asked <- lapply(1:3, function(i) mirai(both(i), both = both, i = i))
  pids <- do.call(rbind, lapply(asked, value_of))
  expect_length(unique(pids[, 2L]), 1L)

  # An agent starts R again, and the launch is what it was.
  tools::pskill(pids[1L, 1L], tools::SIGKILL)
  expect_true(wait_for(function() sum(status()$daemons[, "instance"]) == 4L))
  expect_identical(launches()$state, "joined")
})
