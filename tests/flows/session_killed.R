# Sets daemons that are idle, busy, and busy in what does not look for
# interrupts; says so in a file; and waits to be killed.
source("common.R")

begun <- function(name) file.path(work, paste0("begun-", name))
at_work <- character()

# A task that says when it has begun.
task <- function(name, body, profile = "default") {
  at_work <<- c(at_work, name)
  whole <- bquote({
    file.create(.(begun(name)))
    .(body)
  })
  mirai(whole, .compute = profile)
}

# Does not look for interrupts: what C code would be like.
stubborn <- quote(suspendInterrupts(repeat NULL))
forked <- quote(system("sleep 600"))

invisible(daemons(4))
tasks <- list(
  task("sleeping", quote(Sys.sleep(600))),
  task("stubborn", stubborn),
  task("forked", forked),
  task("alone", quote(Sys.sleep(600)), profile = "no daemons are set here")
)

invisible(daemons(2, url = "tcp://127.0.0.1:0", .compute = "net"))
for (command in launch_remote(1:2, .compute = "net")) {
  run_launch(command)
}
tasks <- c(tasks, list(
  task("stubborn, far", stubborn, profile = "net"),
  task("forked, far", forked, profile = "net")
))

ready <- wait_for(function() all(file.exists(begun(at_work))), 60, must = FALSE)
if (!ready) {
  message("not begun: ", toString(at_work[!file.exists(begun(at_work))]))
}
invisible(file.create(file.path(work, if (ready) "ready" else "not-ready")))
Sys.sleep(600)
