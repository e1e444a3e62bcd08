# One task after the other, so that nothing can be gathered: with more of them on their way
# each takes less. The limits are what was counted, and not a call more; they do not depend on
# how fast the machine is.
source("common.R")

trips <- function(n) for (i in seq_len(n)) call_mirai(mirai(NULL))
field <- function(pid, name) {
  line <- grep(paste0("^", name, ":"), readLines(file.path("/proc", pid, "status")), value = TRUE)
  as.numeric(sub("^[^0-9]*", "", line))
}

# All that strace counts while n tasks are done, by the name of the call.
calls_of <- function(pid, n) {
  file <- file.path(work, pid)
  system2("strace", c("-c", "-o", file, "-p", pid), stderr = FALSE, wait = FALSE)
  wait_for(function() field(pid, "TracerPid") > 0)
  tracer <- field(pid, "TracerPid")
  trips(n)
  tools::pskill(tracer, tools::SIGINT)
  wait_for(function() file.exists(file) && any(grepl("total$", readLines(file))))
  rows <- strsplit(trimws(grep("[0-9] +[a-z_0-9]+$", readLines(file), value = TRUE)), " +")
  rows <- Filter(function(row) row[length(row)] != "total", rows)
  counts <- as.numeric(vapply(rows, `[`, "", 4L))
  stats::setNames(counts / n, vapply(rows, function(row) row[length(row)], ""))
}

check_calls <- function(who, calls, limit) {
  each <- paste(sprintf("%s %.2f", names(calls), calls), collapse = ", ")
  # Timers, the log, a peak of memory that is asked for: a few calls in a second.
  check(sprintf("%s makes at most %g system calls a task: %.2f (%s)", who, limit, sum(calls), each),
        sum(calls) <= limit + 0.1)
}

invisible(daemons(1))
daemon <- call_mirai(mirai(Sys.getpid()))$data
dispatcher <- field(daemon, "PPid")
trips(100)

n <- 500
pids <- c(dispatcher, daemon)
before <- vapply(pids, field, 0, "voluntary_ctxt_switches")
trips(n)
woken <- (vapply(pids, field, 0, "voluntary_ctxt_switches") - before) / n
check(sprintf("the dispatcher wakes up at most twice a task: %.2f", woken[1L]), woken[1L] <= 2.1)
check(sprintf("a daemon wakes up at most once a task: %.2f", woken[2L]), woken[2L] <= 1.1)

check_calls("the dispatcher", calls_of(dispatcher, n), 11)
# Twice in a millisecond at most the use of memory and of the processor is asked for.
check_calls("a daemon", calls_of(daemon, n), 10)

daemons(0)
quit(status = failed)
