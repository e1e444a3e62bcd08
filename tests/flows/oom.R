# A daemon behind an agent, both in a group with little memory.
source("common.R")

runs <- file.path(work, "runs")
greedy <- quote({
  cat("x", file = runs, append = TRUE)
  x <- list()
  for (i in 1:200) x[[i]] <- rep(as.numeric(i), 1e6)
  length(x)
})
launch <- function() {
  online <- function() status()$daemons[1L, "online"] == 1
  wait_for(function() !online(), 10)
  run_launch(launch_remote(1), before = file.path(work, "limited"))
  wait_for(online)
}
submit <- function() mirai(greedy, runs = runs)

# --- not tried again ---

invisible(daemons(1, url = "tcp://127.0.0.1:0"))
check("a daemon in the group is online", launch())
m <- submit()
resolved <- wait_for(function() !unresolved(m), 60, must = FALSE)
check("the mirai of a task that takes too much resolves", resolved)
check("to error value 19", identical(as.integer(m$data)[1L], 19L))
words <- attr(m$data, "message")
words <- if (is.null(words)) "(nothing)" else words
check(paste0("which names the cause: ", words), grepl("memory ran out", words))
check("it ran once", file.size(runs) == 1)
check("another daemon can come", launch())
again <- mirai("next")
check("and evaluate", identical(call_mirai(again)$data, "next"))
invisible(daemons(0))
unlink(runs)

# --- tried again, where that is asked for ---

invisible(daemons(1, url = "tcp://127.0.0.1:0", retries = c(2, oom = 1)))
launch()
m <- submit()
wait_for(function() file.exists(runs) && status()$daemons[1L, "online"] == 0)
check("with retries = c(2, oom = 1) it waits for another daemon", unresolved(m))
launch()
resolved <- wait_for(function() !unresolved(m), 60, must = FALSE)
check("runs a second time", resolved && file.size(runs) == 2)
words <- attr(m$data, "message")
check(paste0("and then resolves: ", words), grepl("memory ran out", words))
finish()
