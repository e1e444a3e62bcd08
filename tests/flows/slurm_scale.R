# What tests/flows/slurm_scale.sh does in an R session.
source("common.R")

there <- function(name) sum(status(name)$daemons[, "online"])
submitted <- function() {
  jobs <- system2("squeue", c("-h", "-t", "all", "-o", "%A"), stdout = TRUE)
  length(unique(jobs))
}

invisible(daemons(profile = "minute"))
check("so many daemons come as are always to be there",
      wait_for(function() there("minute") == 1L, 40))
check("spare slots are not shown", nrow(status("minute")$daemons) == 4L)

# Jobs of one minute, work for two: most tasks are short, some say how long they take,
# and one in twenty does not say that it takes long.
begun <- now()
tasks <- lapply(1:200, function(i) {
  seconds <- if (i %% 20 == 0) 12 else 1.5
  mirai({
    Sys.sleep(seconds)
    c(i, Sys.getenv("SLURM_JOB_ID"), runif(1))
  }, i = i, seconds = seconds,
  .time_request = if (i %% 3 == 0) seconds + 1 else NULL, .compute = "minute")
})
seen <- NULL
while (any(vapply(tasks, unresolved, NA)) && now() - begun < 240) {
  seen <- rbind(seen, c(now() - begun, there("minute"),
                        sum(vapply(tasks, unresolved, NA))))
  Sys.sleep(0.2)
}
values <- lapply(tasks, function(task) task$data)
took <- now() - begun
lost <- Filter(is_error_value, values)
for (each in lost) print(attr(each, "message"))
check(sprintf("of 200 tasks none is lost, in %.0f s", took), length(lost) == 0L &&
        identical(as.integer(vapply(values, `[`, "", 1L)), 1:200))
jobs <- length(unique(vapply(values, `[`, "", 2L)))
check(sprintf("more jobs than there are daemons have done them: %d", jobs),
      jobs > 4L)
draws <- vapply(values, `[`, "", 3L)
check("no two daemons draw the same numbers", !anyDuplicated(draws))
# From when all were there until there is less to do than there are daemons.
grown <- seen[, 1L] >= seen[match(TRUE, seen[, 2L] >= 4), 1L]
busy <- seen[grown & seen[, 3L] > 4, 2L]
check(sprintf("jobs are replaced before they end: never fewer than %d daemons",
              min(busy)), min(busy) >= 3L)
check(sprintf("and no more than twice as many as may be: %d", max(seen[, 2L])),
      max(seen[, 2L]) <= 8L)
check("there are fewer when there is nothing to do",
      wait_for(function() there("minute") == 1L, 30))

joined <- function() sum(status("minute")$daemons[, "instance"])
before <- joined()
invisible(system2("scancel", "--me"))
check("one that is cancelled comes back",
      wait_for(function() joined() > before && there("minute") == 1L, 60))
invisible(daemons(0, .compute = "minute"))

# Nothing is free any more, and then there is nothing to do.
pending <- function() {
  length(system2("squeue", c("-h", "-r", "-t", "PD", "-o", "%i"), stdout = TRUE))
}
invisible(system2("sbatch", c("-Q", "--exclusive", "-N2", "--output=/dev/null",
                              "--wrap", shQuote("sleep 100")), stdout = TRUE))
wait_for(function() pending() == 0L, 30)
invisible(daemons(profile = "later"))
Sys.sleep(1)
check("none is launched where there is nothing to do", pending() == 0L)
tasks <- lapply(1:3, function(i) mirai(i, .compute = "later"))
check("jobs wait in the queue", wait_for(function() pending() > 0L, 20))
for (task in tasks) stop_mirai(task)
check("and are withdrawn when nobody needs them any more",
      wait_for(function() pending() == 0L, 30))
check("which is not told as a failure",
      !any(attr(status("later"), "launches")$state == "failed"))
invisible(daemons(0, .compute = "later"))
invisible(system2("scancel", "--me"))

before <- submitted()
said <- character()
withCallingHandlers(
  {
    invisible(daemons(profile = "broken"))
    m <- mirai(1, .compute = "broken")
    check("jobs that end before a daemon has come are told of", wait_for(function() {
      status("broken")
      length(said) > 0
    }, 30))
    Sys.sleep(8)
    status("broken")
  },
  tenkai_launch_error = function(condition) {
    said <<- c(said, conditionMessage(condition))
    invokeRestart("muffleMessage")
  }
)
tried <- submitted() - before
check(sprintf("and are launched again with longer and longer pauses: %d", tried),
      tried %in% 2:4)
invisible(daemons(0, .compute = "broken"))
finish()
