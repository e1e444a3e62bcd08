# Two honest daemons at work, and two more that join while strangers besiege the
# doors.
source("common.R")

invisible(daemons(url = c("tcp://127.0.0.1:0", "wss://127.0.0.1:0/1",
                          "tcp://127.0.0.1:0", "wss://127.0.0.1:0/2")))
online <- function() sum(status()$daemons[, "online"])
join <- function(slots, count) {
  begun <- now()
  launch_local(slots)
  came <- wait_for(function() online() == count, 60, pause = 0.01, must = FALSE)
  if (came) now() - begun else Inf
}
# Milliseconds of each of `n` round trips, one after the other.
round_trips <- function(n) {
  vapply(seq_len(n), function(i) {
    begun <- now()
    value <- call_mirai(mirai(i + 1, i = i))$data
    if (identical(value, i + 1)) 1000 * (now() - begun) else NaN
  }, 0)
}
p99 <- function(times) quantile(times, 0.99, names = FALSE)

calm <- join(1:2, 2)
check("honest daemons are there", is.finite(calm))
before <- round_trips(1000)
ports <- sub(".*:([0-9]+)(/.*)?$", "\\1", nextget("urls"))
writeLines(c(nextget("pid"), paste0(c("tcp:", "wss:", "tcp:"), ports[1:3])),
           file.path(work, "doors"))
invisible(file.create(file.path(work, "ready")))
besieged <- wait_for(function() file.exists(file.path(work, "besieged")), 60, must = FALSE)

besieged_join <- join(3:4, 4)
check(sprintf(paste("two more join under siege, after %.1f s with the start of",
                    "R (without siege %.1f s)"), besieged_join, calm),
      besieged && besieged_join < 10)
during <- round_trips(1000)
check("1,000 round trips are right", !anyNA(c(before, during)))
check(sprintf("99 of 100 take less than %.1f ms (without siege %.1f ms)",
              p99(during), p99(before)), p99(during) < 1000)
files <- lapply(1:10, function(i) file(file.path(work, "doors"), "r"))
read <- vapply(files, function(each) length(readLines(each)), 0L)
for (each in files) close(each)
check("the session opens 10 files", all(read == 4L))
check("nobody has come in who does not belong there",
      all(status()$daemons[, "instance"] == 1))
invisible(file.create(file.path(work, "done")))
enough <- wait_for(function() file.exists(file.path(work, "enough")), 60, must = FALSE)
check("and the session is well when all are gone",
      enough && !anyNA(round_trips(10)))
finish()
