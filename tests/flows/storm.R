# SIGKILL for a random daemon every 200 ms while 400 tasks run. Nobody launches others.
#
# At least one daemon is always left alone: on a machine so slow that no R comes
# up within four kills, nothing could ever be done. A task may be hit more often
# than `retries` allows by default, and would rightly resolve to an error; here
# it must not.
source("common.R")

n <- 400L
counters <- file.path(work, "counters")
dir.create(counters)
invisible(daemons(4, retries = 1000))
tasks <- lapply(seq_len(n), function(i) {
  mirai({
    cat("x", file = file.path(folder, i), append = TRUE)
    Sys.sleep(0.04)
    i * i
  }, i = i, folder = counters)
})

kills <- 0L
started <- now()
while (any(vapply(tasks, unresolved, NA)) && now() - started < 150) {
  Sys.sleep(0.2)
  online <- which(status()$daemons[, "online"] == 1)
  if (length(online) < 2L) next
  slot <- online[sample.int(length(online), 1L)]
  pid <- daemon_at(slot)
  if (length(pid) != 1L) next
  tools::pskill(pid, tools::SIGKILL)
  kills <- kills + 1L
}

values <- lapply(tasks, function(m) m$data)
resolved <- !vapply(tasks, unresolved, NA)
check(sprintf("all %d tasks resolved, through %d kills in %.0f s", n, kills,
              now() - started), all(resolved))
check("each to its own value", identical(
  vapply(values, function(v) as.numeric(v)[1L], 0), as.numeric(seq_len(n))^2
))
runs <- file.size(file.path(counters, seq_len(n)))
check(sprintf("each ran at least once (%d runs in all)", sum(runs)),
      all(runs >= 1))
counts <- status()$daemons
check("as many answers were counted as there are tasks, none twice",
      sum(counts[, "complete"]) == n)
check("every run was counted as assigned, and no more than the kills were lost",
      sum(counts[, "assigned"]) >= sum(runs) &&
        sum(counts[, "assigned"]) <= n + kills)
check("daemons were killed in the middle of tasks", sum(runs) > n)
back <- wait_for(function() all(status()$daemons[, "online"] == 1), 60, must = FALSE)
check("all daemons are back, and their instances counted",
      back && sum(status()$daemons[, "instance"]) == 4L + kills)
finish()
