# Launching by SSH, on one machine with two addresses.
source("common.R")

port <- Sys.getenv("PORT")
online <- function(...) sum(status(...)$daemons[, "online"])
launches <- function(...) attr(status(...), "launches", exact = TRUE)
host <- function(address, p = port) paste0("ssh://", address, ":", p)

# --- the examples of the documentation ---

n <- daemons(n = 4, url = host_url(ws = TRUE, port = 0, host = "127.0.0.1"),
             remote = ssh_config(remotes = host("127.0.0.1")))
check("4 daemons on one host: the value is their number", n == 4L)
check("they come", wait_for(function() online() == 4, 60))
check("by one launch", identical(launches()$state, "joined"))
values <- vapply(1:20, function(i) call_mirai(mirai(i * 2, i = i))$data, 0)
check("and answer", identical(values, (1:20) * 2))
# The plugin is killed: these daemons do not need it.
plugin <- Filter(function(pid) grepl("plugin ssh", command_of(pid)),
                 children_of(nextget("pid")))
begun <- file.path(work, paste0("begun.", 1:4))
go <- file.path(work, "go-on")
running <- lapply(1:4, function(i) mirai({
  file.create(begun)
  while (!file.exists(go)) Sys.sleep(0.05)
  i
}, i = i, begun = begun[i], go = go))
wait_for(function() all(file.exists(begun)))
tools::pskill(plugin, tools::SIGKILL)
wait_for(function() !is_running(plugin))
invisible(file.create(go))
values <- vapply(running, function(m) call_mirai(m)$data, 0L)
check("a plugin that is killed takes no daemon with it, nor its task",
      length(plugin) == 1L && identical(values, 1:4) &&
        all(status()$daemons[, "instance"] == 1L))
check("and the launch is what it was", identical(launches()$state, "joined"))
# An agent starts an R that has died again.
victim <- call_mirai(mirai(Sys.getpid()))$data
tools::pskill(victim, tools::SIGKILL)
check("one that is killed is started again",
      wait_for(function() sum(status()$daemons[, "instance"]) == 5 &&
                 online() == 4))
invisible(daemons(0))

invisible(daemons(
  n = 2, url = host_url(ws = TRUE, port = 0, host = "127.0.0.1"),
  remote = ssh_config(c(host("127.0.0.1"), host("127.0.0.2")))
))
check("a daemon on each of two hosts", wait_for(function() online() == 2, 60))
check("by a launch each", identical(launches()$state, c("joined", "joined")) &&
        identical(launches()$daemons, c("1", "2")))
invisible(daemons(0))

# --- other ways ---

invisible(daemons(url = "wss://127.0.0.1:0", dispatcher = FALSE,
                  remote = ssh_config(rep(host("127.0.0.1"), 3))))
check("without dispatcher, 3 daemons at one URL",
      wait_for(function() status()$connections == 3, 60))
invisible(daemons(0))

invisible(daemons(1, url = "tls+tcp://127.0.0.1:0"))
invisible(launch_remote(1, remote = ssh_config("ssh://rsa")))
check("with an RSA key, by the SSH client",
      wait_for(function() online() == 1, 60))
invisible(daemons(0))

invisible(daemons(1, url = "tls+tcp://127.0.0.1:0"))
invisible(launch_remote(1, remote = ssh_config(host("127.0.0.1"),
                                               command = "ssh")))
check("with the client that is asked for",
      wait_for(function() online() == 1, 60))
invisible(daemons(0))

# --- what does not come, and why ---

expect_cause <- function(sentence, cause, remote, url = "ws://127.0.0.1:0",
                         says = "") {
  name <- "trouble"
  invisible(daemons(1, url = url, .compute = name))
  on.exit(daemons(0, .compute = name))
  begun <- now()
  said <- character()
  withCallingHandlers({
    launch_remote(1, remote = remote, .compute = name)
    wait_for(function() identical(launches(name)$state, "failed"), 30, must = FALSE)
    took <- now() - begun
    wait_for(function() {
      status(name)
      length(said) > 0L
    }, 5, must = FALSE)
  }, message = function(m) {
    said <<- c(said, conditionMessage(m))
    invokeRestart("muffleMessage")
  })
  found <- launches(name)
  ok <- identical(found$cause, cause) && grepl(says, found$message) &&
    took <= 15 && any(grepl("has failed", said))
  check(sprintf("%s: %s, in time", sentence, cause), ok)
  if (!ok) print(list(found, took, said))
}

user <- paste0("ssh://nobody-at-all@127.0.0.1:", port)
expect_cause("a user who is not let in", "auth_refused", ssh_config(user))
expect_cause("a key that is not let in", "auth_refused",
             ssh_config("ssh://stranger"))
expect_cause("a host key that has changed", "host_key",
             ssh_config("ssh://changed"))
expect_cause("a host key that is not known", "host_key",
             ssh_config("ssh://unknown"))
expect_cause("a port where nobody listens", "unreachable",
             ssh_config(host("127.0.0.1", Sys.getenv("CLOSED"))))
expect_cause("a name that is none", "unknown_host",
             ssh_config(host("no.such.host.invalid")))
expect_cause("no Rscript", "rscript_missing",
             ssh_config(host("127.0.0.1"), rscript = "Rscriptless"))
expect_cause("no package", "package_missing",
             ssh_config(host("127.0.0.1"),
                        rscript = Sys.getenv("BARE_RSCRIPT"), bring = FALSE))
expect_cause("a command that fails", "exited",
             ssh_config(host("127.0.0.1"), rscript = "/bin/false"),
             says = "exit code 1")
invisible(daemons(0))

# --- one that hangs keeps nobody waiting ---

invisible(daemons(2, url = "ws://127.0.0.1:0"))
hanging <- host("127.0.0.1", Sys.getenv("SILENT"))
begun <- now()
said <- testthat::capture_messages({
  launch_remote(1:2, remote = ssh_config(c(hanging, host("127.0.0.1")),
                                         timeout = 6))
  came <- wait_for(function() online() == 1, 60, must = FALSE)
  state <- launches()$state
  given_up <- wait_for(function() "failed" %in% launches()$state, 30, must = FALSE)
  took <- now() - begun
})
check("a server that says nothing does not delay another launch",
      came && !"failed" %in% state)
check("and is given up within the time-out, as unreachable",
      given_up && took < 15 && launches()$cause[1L] == "unreachable")
finish()
