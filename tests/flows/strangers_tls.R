# A load on two daemons over TLS, beside two slots that are free; strangers try
# to get into those.
source("common.R")

invisible(daemons(url = c("tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/1",
                          "tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/2")))
launch_local(1:2)
online <- function() as.vector(status()$daemons[, "online"])
right <- wait_for(function() sum(online()) == 2, 60, must = FALSE)

# What a thief would know who has seen half of a credential: its id. The lines
# go to the stranger's script through a file that is ours alone.
free <- nextget("urls")[3:4]
invisible(launch_remote(3:4, credential = paste0("@", file.path(work, "line"))))
writeLines(free, file.path(work, "urls"))

i <- 0
until <- now() + 120
repeat {
  i <- i + 1
  tasks <- lapply(1:4, function(j) mirai(i * j, i = i, j = j))
  got <- vapply(tasks, function(m) as.numeric(call_mirai(m)$data)[1L], 0)
  right <- right && identical(got, as.numeric(i * (1:4))) &&
    identical(online(), c(1L, 1L, 0L, 0L))
  if (i == 10) invisible(file.create(file.path(work, "ready")))
  if (file.exists(file.path(work, "enough")) || now() > until) break
}
right <- right &&
  identical(as.vector(status()$daemons[, "instance"]), c(1L, 1L, 0L, 0L))
cat(if (right) "every task was right" else "something went wrong", "\n")

# The slots are as good as new: whoever belongs there comes in.
launch_local(3:4)
came <- wait_for(function() all(online() == 1), 60, must = FALSE)
cat(if (came) "the free slots were taken" else "nobody came", "\n")
finish()
