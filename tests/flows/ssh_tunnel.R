# Daemons on a machine that cannot reach ours: through the tunnel alone.
source("common.R")

far <- paste0("ssh://", Sys.getenv("FAR"))
online <- function(...) sum(status(...)$daemons[, "online"])
launches <- function(...) attr(status(...), "launches", exact = TRUE)
dispatcher_pid <- function() nextget("pid")
plugin_pid <- function() {
  pids <- children_of(dispatcher_pid())
  pids[grepl("plugin ssh", vapply(pids, command_of, ""))]
}

# The example of the documentation.
n <- daemons(
  url = "tcp://localhost:5555",
  remote = ssh_config(
    remotes = c(far, far),
    tunnel = TRUE
  )
)
check("the example of the tunnel: two daemons", n == 2L)
check("they come", wait_for(function() online() == 2, 60))
check("at two ports", identical(rownames(status()$daemons),
                                c("tcp://localhost:5555", "tcp://localhost:5556")))
big <- as.numeric(1:1e6)
check("8 MB go through, both ways",
      identical(call_mirai(mirai(x, x = big))$data, big))

# The plugin is killed: the tunnel breaks, and comes back with the next one.
go <- file.path(work, "go")
begun <- file.path(work, paste0("tunnel.", 1:2))
tasks <- lapply(begun, function(file) {
  mirai({
    file.create(file)
    while (!file.exists(go)) Sys.sleep(0.05)
    Sys.getpid()
  }, file = file, go = go)
})
wait_for(function() all(file.exists(begun)))
before <- status()$daemons
old <- plugin_pid()
tools::pskill(old, tools::SIGKILL)
check("a plugin that is killed is there again at once",
      wait_for(function() length(plugin_pid()) == 1L && plugin_pid() != old, 5))
back <- wait_for(function() {
  identical(attr(status(), "state"), c("busy", "busy"))
}, 30, must = FALSE)
check("the daemons are back, through a new tunnel", back)
invisible(file.create(go))
values <- lapply(tasks, function(m) call_mirai(m)$data)
check("with the tasks they had", all(vapply(values, is.integer, NA)))
check("as the same daemons",
      identical(before[, "instance"], status()$daemons[, "instance"]))
invisible(file.remove(go))
invisible(daemons(0))

# Any free port.
invisible(daemons(2, url = "ws://127.0.0.1:0",
                  remote = ssh_config(far, tunnel = TRUE)))
check("port 0 and one port for both", wait_for(function() online() == 2, 60))
# By the client.
invisible(daemons(1, url = "tls+tcp://localhost:0", .compute = "client",
                  remote = ssh_config(far, tunnel = TRUE, command = "ssh")))
check("a tunnel by the SSH client",
      wait_for(function() online("client") == 1, 60))
invisible(daemons(0, .compute = "client"))
invisible(daemons(0))

# --- what cannot work says so ---

check("a host that is not this one is refused", inherits(try(
  daemons(1, url = "tcp://10.1.2.3:0", remote = ssh_config(far, tunnel = TRUE)),
  silent = TRUE), "try-error"))
failed_with <- function(url, tunnel, cause) {
  invisible(daemons(1, url = url))
  on.exit(daemons(0))
  said <- testthat::capture_messages({
    launch_remote(1, remote = ssh_config(far, tunnel = tunnel))
    came <- wait_for(function() identical(launches()$state, "failed"), 15, must = FALSE)
    wait_for(function() {
      status()
      FALSE
    }, 1, must = FALSE)
  })
  ok <- came && identical(launches()$cause, cause) && length(said) == 1L
  if (!ok) print(list(launches(), said))
  ok
}
check("without a tunnel the daemon says that it cannot reach us",
      failed_with("tcp://127.0.0.1:0", FALSE, "url_unreachable"))
pid_file <- file.path(work, "holder")
system(sprintf("ip netns exec %s python3 -c '
import os, socket, time
taken = [socket.create_server((\"127.0.0.1\", 5577)),
         socket.create_server((\"::1\", 5577), family=socket.AF_INET6)]
open(\"%s\", \"w\").write(str(os.getpid()) + chr(10))
time.sleep(60)' &", Sys.getenv("FAR_NAME"), pid_file))
wait_for(function() file.exists(pid_file) && file.size(pid_file) > 0, 20)
check("a port that is taken there is named",
      failed_with("tcp://127.0.0.1:5577", TRUE, "tunnel_port"))
tools::pskill(as.integer(readLines(pid_file)), tools::SIGKILL)
finish()
