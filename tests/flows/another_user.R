# A load on local daemons, for as long as somebody knocks at their sockets.
source("common.R")

invisible(daemons(2))
invisible(daemons(1, .compute = "second"))
right <- TRUE
i <- 0
until <- now() + 90
repeat {
  i <- i + 1
  m <- mirai(i * 2, i = i)
  right <- right && identical(call_mirai(m)$data, i * 2)
  if (i == 10) invisible(file.create(file.path(work, "ready")))
  if (file.exists(file.path(work, "enough")) || now() > until) break
}
online <- status()$daemons
right <- right && all(online[, "online"] == 1) && all(online[, "instance"] == 1)
cat(if (right) "every task was right" else "something went wrong", "\n")
finish()
