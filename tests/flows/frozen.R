# SIGSTOP for an R behind an agent; then for the agent as well.
source("common.R")

reconnect <- 14
invisible(daemons(2, url = "tcp://127.0.0.1:0", reconnect = reconnect))

# What the dispatcher says about a slot: idle, busy, suspect, or nothing.
state_of <- function(slot) {
  reply <- tenkai:::ask(tenkai:::profiles$default$link, "status")
  fields <- strsplit(strsplit(reply, "\n", fixed = TRUE)[[1L]][slot + 1L], "\t")
  fields <- fields[[1L]]
  if (length(fields) < 6L) "" else fields[6L]
}
launch <- function(slot) {
  run_launch(launch_remote(slot))
  wait_for(function() status()$daemons[slot, "online"] == 1)
}
# A task that says who runs it, waits until it may go on, and counts its runs.
go <- file.path(work, "go")
runs <- file.path(work, "runs")
submit <- function() {
  mirai({
    cat(Sys.getpid(), "\n", file = runs, append = TRUE)
    while (!file.exists(go)) Sys.sleep(0.1)
    Sys.getpid()
  }, runs = runs, go = go)
}
who_runs <- function() {
  if (file.exists(runs)) scan(runs, 0L, quiet = TRUE) else integer()
}

check("a daemon behind an agent is online", launch(1L))
first <- submit()
wait_for(function() length(who_runs()) == 1L)
r <- who_runs()
agent <- parent_of(r)
check("the agent is its parent",
      grepl("tenkai agent", command_of(agent), fixed = TRUE))

# --- R alone is frozen: the agent answers for it ---

tools::pskill(r, tools::SIGSTOP)
until <- now() + 10
states <- character()
while (now() < until) {
  states <- c(states, state_of(1L))
  Sys.sleep(0.5)
}
check("an R that is frozen for 10 s stays busy, since its agent answers",
      all(states == "busy"))
tools::pskill(r, tools::SIGCONT)
invisible(file.create(go))
check("thawed, it answers", identical(call_mirai(first)$data, r))

# --- the whole node is frozen ---

invisible(file.remove(go, runs))
second <- submit()
wait_for(function() length(who_runs()) == 1L)
check("another daemon is online", launch(2L))
tools::pskill(c(agent, r), tools::SIGSTOP)
frozen <- now()
suspect <- wait_for(function() state_of(1L) == "suspect", 12, must = FALSE)
check(sprintf("a frozen node is suspect after %.1f s, between 5 and 11",
              now() - frozen),
      suspect && now() - frozen > 5 && now() - frozen < 11)
check("and still has its task", unresolved(second) &&
        length(who_runs()) == 1L)
handed_on <- wait_for(function() length(who_runs()) == 2L, reconnect + 10, must = FALSE)
check(sprintf("its task is handed on after %.1f s, not before %d s",
              now() - frozen, reconnect - 3),
      handed_on && now() - frozen > reconnect - 3)
invisible(file.create(go))
other <- who_runs()[2L]
check("the other daemon answers",
      identical(call_mirai(second)$data, other) && other != r)

# --- it thaws ---

before <- status()$daemons
tools::pskill(c(agent, r), tools::SIGCONT)
back <- wait_for(function() {
  status()$daemons[1L, "online"] == 1 || !is_running(r)
}, 20, must = FALSE)
check("thawed, the node joins again or ends", back)
Sys.sleep(1)
after <- status()$daemons
check("its late answer is discarded",
      identical(second$data, other) &&
        after[2L, "complete"] == before[2L, "complete"])
third <- mirai("next")
check("and the next task runs", identical(call_mirai(third)$data, "next"))
finish()
