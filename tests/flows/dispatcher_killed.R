# SIGKILL for the dispatcher, while daemons are idle, busy, and busy in what
# does not look for interrupts; local ones, and one behind an agent.
source("common.R")

stubborn <- quote(suspendInterrupts(repeat NULL))

# Kills the dispatcher of a profile whose `tasks` run, and looks what follows.
kill_dispatcher <- function(kind, profile, tasks, ours) {
  pid <- nextget("pid", .compute = profile)
  tools::pskill(pid, tools::SIGKILL)
  killed <- now()
  resolved <- wait_for(function() !any(vapply(tasks, unresolved, NA)), 10, 0.01, must = FALSE)
  after <- now() - killed
  check(sprintf("%s: all %d mirais resolve within 2 s (%.2f)", kind,
                length(tasks), after), resolved && after < 2)
  codes <- vapply(tasks, function(m) as.integer(m$data)[1L], 0L)
  check(paste0(kind, ": to error values 19"), all(codes == 19L))
  words <- attr(tasks[[1L]]$data, "message")
  check(paste0(kind, ": which say what happened: ", words),
        grepl("signal 9", words) && grepl(pid, words))
  gone <- wait_for(function() !any(vapply(ours, is_running, NA)), 12, must = FALSE)
  check(sprintf("%s: its %d processes are gone after %.1f s, busy ones too",
                kind, length(ours), now() - killed), gone)
  if (!gone) {
    left <- ours[vapply(ours, is_running, NA)]
    cat(sprintf("    %d: %s\n", left, vapply(left, command_of, "")), sep = "")
  }
}

begun <- function(i) file.path(work, paste0("begun-", i))

# --- local ---

invisible(daemons(4))
bodies <- list(quote(Sys.sleep(600)), stubborn, quote(system("sleep 600")))
tasks <- lapply(seq_along(bodies), function(i) {
  whole <- bquote({
    file.create(.(begun(i)))
    .(bodies[[i]])
  })
  mirai(whole)
})
wait_for(function() all(file.exists(begun(seq_along(bodies)))))
tasks <- c(tasks, lapply(1:20, function(i) mirai(Sys.sleep(600))))
ours <- descendants_of(nextget("pid"))
check("3 tasks run, on 4 daemons", length(ours) >= 4L)
kill_dispatcher("local", "default", tasks, ours)
check("status() says that there is no answer any more",
      is_error_value(status()$daemons))
late <- mirai("too late")
check("a mirai that comes later resolves to 19 at once",
      identical(as.integer(call_mirai(late)$data), 19L))

check("daemons can be set again", daemons(1) == 1L)
again <- mirai("here")
check("and evaluate", identical(call_mirai(again)$data, "here"))
invisible(daemons(0))

# --- behind an agent ---

invisible(daemons(1, url = "tcp://127.0.0.1:0", .compute = "net"))
run_launch(launch_remote(1, .compute = "net"))
busy <- mirai({
  cat(Sys.getpid(), "\n", file = file)
  Sys.sleep(600)
}, file = begun("far"), .compute = "net")
has_begun <- function() {
  file.exists(begun("far")) && file.size(begun("far")) > 1L
}
check("the far daemon has a task", wait_for(has_begun))
r <- scan(begun("far"), 0L, quiet = TRUE)
ours <- c(r, parent_of(r))
check("a task runs behind an agent",
      grepl("tenkai agent", command_of(ours[2L]), fixed = TRUE))
kill_dispatcher("behind an agent", "net", list(busy), ours)
finish()
