# One round of one contestant, in a fresh R session with two local daemons:
#
#   Rscript contestant.R PACKAGE TRIPS TASKS ECHOES
#
# PACKAGE is tenkai or mirai. Both are used by the same code, so neither is
# asked for anything the other is not. Prints one flat JSON object of numbers.

arguments <- commandArgs(trailingOnly = TRUE)
package <- arguments[1L]
sizes <- as.integer(arguments[2:4])
suppressPackageStartupMessages(library(package, character.only = TRUE))

value_of <- function(m) call_mirai(m)$data

seconds <- function(expr) {
  started <- Sys.time()
  force(expr)
  as.double(Sys.time()) - as.double(started)
}

first_answer <- function() {
  seconds({
    daemons(2)
    value_of(mirai(NULL))
  })
}

round_trips <- function(times) {
  took <- numeric(times)
  for (i in seq_len(times)) {
    started <- Sys.time()
    value_of(mirai(NULL))
    took[i] <- Sys.time() - started
  }
  took
}

# All are submitted, then all are collected.
many_tasks <- function(tasks) {
  seconds({
    all <- lapply(seq_len(tasks), function(i) mirai(NULL))
    for (m in all) value_of(m)
  })
}

echo <- function(x) {
  back <- NULL
  took <- seconds(back <- value_of(mirai(x, x = x)))
  if (!identical(back[length(x)], x[length(x)])) {
    stop("what was sent did not come back: ", format(back[1L]))
  }
  took
}

# Everybody who works on a task, by what they are. The two daemons are busy for
# a moment, so that each is asked once. A dispatcher that is a thread of the
# session counts as session.
processes <- function() {
  asked <- lapply(1:2, function(i) mirai({ Sys.sleep(0.2); Sys.getpid() }))
  list(
    session = Sys.getpid(),
    dispatcher = if (package == "tenkai") nextget("pid"),
    daemons = vapply(asked, value_of, 0L)
  )
}

# Microseconds of processor time so far, over all threads; NULL where the system
# does not count them so finely.
cpu_us <- function(pids) {
  if (is.null(pids)) return()
  threads <- Sys.glob(sprintf("/proc/%d/task/*/schedstat", pids))
  if (!length(threads)) return()
  sum(vapply(threads, function(file) scan(file, 0, 1L, quiet = TRUE), 0)) / 1e3
}

# Runs `work` and says what it cost each kind of process, per piece.
with_costs <- function(name, everybody, pieces, work) {
  before <- lapply(everybody, cpu_us)
  result <- work()
  after <- lapply(everybody, cpu_us)
  costs <- unlist(Map(function(a, b) (a - b) / pieces, after, before))
  names(costs) <- sprintf("%s_%s_cpu_us", name, names(costs))
  list(result = result, costs = costs)
}

flat_json <- function(numbers) {
  pairs <- sprintf('"%s": %.10g', names(numbers), numbers)
  cat("{", paste(pairs, collapse = ", "), "}\n", sep = "")
}

start <- first_answer()
everybody <- processes()
invisible(round_trips(300L))
trips <- with_costs("trip", everybody, sizes[1L], function() {
  round_trips(sizes[1L])
})
invisible(many_tasks(500L))
tasks <- with_costs("task", everybody, sizes[2L], function() {
  many_tasks(sizes[2L])
})
numbers <- runif(1e7)
echoes <- with_costs("echo", everybody, sizes[3L], function() {
  vapply(seq_len(sizes[3L]), function(i) echo(numbers), 0)
})
daemons(0)

flat_json(c(
  first_answer_ms = 1e3 * start,
  trip_median_us = 1e6 * median(trips$result),
  trip_p99_us = 1e6 * quantile(trips$result, 0.99, names = FALSE),
  tasks_per_second = sizes[2L] / tasks$result,
  echo_ms = 1e3 * median(echoes$result),
  trips$costs, tasks$costs, echoes$costs
))
