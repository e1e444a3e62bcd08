# Promises: what 10,000 of them cost while nothing comes, and how long they
# take.
#
#   Rscript promises.R [ROUNDS] [PROMISES]
#
# Called by bench/run --promises. In each round the same tasks are collected by
# call_mirai(), by promises that pend for them, and by promises with a handler each.
# The last number is what package promises takes by itself: to make as many promises
# that have their values already, and to run a handler for each.

library(tenkai)
arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "5")[1L])
n <- as.integer(c(arguments[-1L], "10000")[1L])
for (package in c("later", "promises")) {
  if (!requireNamespace(package, quietly = TRUE)) {
    stop("the R package ", package, " is not installed")
  }
}
cat("later", as.character(packageVersion("later")),
    if ("later_fd" %in% getNamespaceExports("later")) "watches" else "looks",
    "; promises", as.character(packageVersion("promises")), "\n")

seconds <- function(expr) {
  begun <- Sys.time()
  force(expr)
  as.double(Sys.time()) - as.double(begun)
}

# How often R's own thread has gone to sleep so far. A wake-up that nobody has
# asked for is one more. (Version 1.4 of later has a thread that waits for
# descriptors; it turns over once a second, and wakes nobody.)
sleeps <- function() {
  lines <- readLines("/proc/self/status")
  found <- grep("^voluntary_ctxt_switches", lines, value = TRUE)
  as.double(sub("^[^0-9]*", "", found))
}

# Sleeps in ten seconds of a session that waits for events.
sleeps_in_ten_seconds <- function() {
  before <- sleeps()
  later::run_now(10)
  sleeps() - before
}

counted <- new.env()
count_when_fulfilled <- function(x) {
  promises::then(promises::as.promise(x), function(value) {
    counted$n <- counted$n + 1L
  })
}

run_until_all <- function() {
  while (counted$n < n) later::run_now(1)
}

many <- function() lapply(seq_len(n), function(i) mirai(NULL))

# --- while nothing comes ---

daemons(1)
nobody <- sleeps_in_ten_seconds()
counted$n <- 0L
blocker <- mirai(Sys.sleep(3600))
waiting <- many()
for (m in waiting) count_when_fulfilled(m)
# An older later looks again and again, and always has something to run.
settled <- Sys.time() + 5
while (!later::loop_empty() && counted$n == 0L && Sys.time() < settled &&
         later::run_now(1)) NULL
pending <- sleeps_in_ten_seconds()
cat(sprintf("in 10 s the session slept %g times with %d promises, %g without\n",
            pending, n, nobody))
stop_mirai(blocker)
run_until_all()

# --- until all are fulfilled ---

# Seconds from when n tasks may run until `collect` has them; `prepare` comes before.
take <- function(prepare, collect) {
  counted$n <- 0L
  blocker <- mirai(Sys.sleep(3600))
  all <- many()
  prepare(all)
  stop_mirai(blocker)
  seconds(collect(all))
}

# One daemon does one after the other: when the last is there, so are all.
result <- t(vapply(seq_len(rounds), function(i) {
  called <- take(function(all) NULL, function(all) for (m in all) call_mirai(m))
  fulfilled <- take(function(all) {
    for (m in all[-n]) promises::as.promise(m)
    promises::then(promises::as.promise(all[[n]]), function(v) counted$n <- n)
  }, function(all) run_until_all())
  handled <- take(function(all) for (m in all) count_when_fulfilled(m),
                  function(all) run_until_all())
  counted$n <- 0L
  alone <- seconds({
    for (j in seq_len(n)) count_when_fulfilled(promises::promise_resolve(NULL))
    run_until_all()
  })
  c(call_mirai = called, fulfilled = fulfilled, handled = handled,
    promises_alone = alone, ratio = fulfilled / called)
}, numeric(5L)))
daemons(0)
print(round(result, 3))
cat(sprintf("%d promises take %.2f times the time of call_mirai(), median\n", n,
            stats::median(result[, "ratio"])))
cat("Goals\n")
cat(sprintf("  %s  no wake-up while nothing comes\n",
            if (pending <= nobody) "reached    " else "NOT REACHED"))
in_time <- stats::median(result[, "ratio"]) <= 3
cat(sprintf("  %s  at most 3 times the time of call_mirai()\n",
            if (in_time) "reached    " else "NOT REACHED"))
