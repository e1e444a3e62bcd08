# A session for the flow cli.sh: two profiles, one of which waits for its daemons.
source("common.R")

invisible(daemons(url = "ws://127.0.0.1:0", n = 3, .compute = "far"))
invisible(daemons(1))
m <- mirai(6 * 7)
check("a task is evaluated", identical(call_mirai(m)$data, 42))
invisible(file.create(file.path(work, "ready")))

arrived <- wait_for(function() {
  sum(status("far")$daemons[, "online"]) == 2
}, 90, must = FALSE)
check("what the command line launches, the session sees", arrived)
value <- call_mirai(mirai(Sys.getpid(), .compute = "far"))$data
check("and it works for the session", is.numeric(value))
launches <- attr(status("far"), "launches")
check("its launches are among those of status()",
      identical(launches$state[1:2], c("joined", "joined")))
writeLines(as.character(status("far")$daemons[, "online"]),
           file.path(work, "worked"))
wait_for(function() file.exists(file.path(work, "enough")), 90)
finish()
