# A first walk through tenkai, on this machine alone: scripts/demo runs it.
library(tenkai)

say <- function(...) cat("\n# ", ..., "\n", sep = "")

say("Two R processes on this machine stand by.")
daemons(2)

say("A mirai is a value to come. This line returns at once ...")
m <- mirai({
  Sys.sleep(0.5)
  sum(x^2)
}, x = 1:10)
m
m$data

say("... and the value is there when it is wanted.")
call_mirai(m)$data

say("Ten tasks, shared out among the two: who did what?")
tasks <- lapply(1:10, function(i) {
  mirai({
    Sys.sleep(0.05)
    Sys.getpid()
  })
})
pids <- vapply(tasks, function(task) call_mirai(task)$data, integer(1))
data.frame(
  daemon = seq_along(unique(pids)),
  tasks = as.integer(table(factor(pids, unique(pids))))
)

say("What the dispatcher knows of its daemons. The URLs are names that no other",
    "\n# user of this machine can use.")
table <- status()$daemons
rownames(table) <- paste0(substr(rownames(table), 1, 18), "...")
table

say("An error in a task is a value here, and brings its stack trace.")
f <- function(x) {
  if (x > 0) stop("positive")
  x
}
m <- call_mirai(mirai({
  f(-1)
  f(1)
}, f = f))
m$data
is_mirai_error(m$data)
m$data$stack.trace

say("A task may take so long and no longer.")
m <- mirai(Sys.sleep(10), .timeout = 200)
call_mirai(m)$data
is_error_value(m$data)

say("everywhere() prepares each daemon, also those that join later.")
everywhere(library(stats4))
m <- mirai("package:stats4" %in% search())
call_mirai(m)$data

say("Tasks that are no longer wanted are stopped, and their daemons free again.")
m <- lapply(1:2, function(i) mirai(Sys.sleep(60)))
Sys.sleep(0.2)
started <- proc.time()[["elapsed"]]
for (each in m) stop_mirai(each)
m[[1]]$data
call_mirai(mirai("free"))$data
cat(sprintf("after %.1f s\n", proc.time()[["elapsed"]] - started))

say("When the daemons are no longer needed, they go.")
daemons(0)
