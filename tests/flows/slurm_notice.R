# What tests/flows/slurm_notice.sh does in an R session.
source("common.R")

kinds <- c("array", "script", "steps")
online <- function(name) sum(status(name)$daemons[, "online"])
jobs <- function() {
  system2("squeue", c("-h", "-r", "-o", "%A"), stdout = TRUE)
}

for (name in kinds) invisible(daemons(profile = name))
check("the daemons come", wait_for(function() {
  all(vapply(kinds, online, 0) == 2)
}, 40))

# One of two daemons is kept busy, by programs that it starts, beyond the notice.
busy <- lapply(kinds, function(name) mirai({
  ended <- integer()
  while (!file.exists(file)) ended <- c(ended, system("sleep 0.3"))
  list(job = Sys.getenv("SLURM_JOB_ID"), failed = sum(ended != 0L),
       left = as.numeric(Sys.getenv("TENKAI_JOB_END")) - as.numeric(Sys.time()))
}, file = file.path(work, "end"), .compute = name))
names(busy) <- kinds
was_told <- wait_for(function() all(vapply(kinds, online, 0) == 1), 90, must = FALSE)
check("after the notice a daemon without a task goes", was_told)
if (!was_told) print(vapply(kinds, online, 0))
check("one with a task goes on", all(vapply(busy, unresolved, NA)))
waiting <- lapply(kinds, function(name) {
  mirai(Sys.getenv("SLURM_JOB_ID"), .compute = name)
})
Sys.sleep(2)
check("and gets nothing new", all(vapply(waiting, unresolved, NA)))

invisible(file.create(file.path(work, "end")))
for (name in kinds) {
  value <- call_mirai(busy[[name]])$data
  done <- is.list(value) && value$failed == 0L && value$left > 10
  check(sprintf("%s: what it did is done, %.0f s before the end of its job", name,
                if (is.list(value)) value$left else NA), done)
  if (!done) print(value)
}
check("then it goes, and its job is over", wait_for(function() {
  all(vapply(kinds, online, 0) == 0) && !length(jobs())
}, 15))
for (name in kinds) {
  invisible(launch_remote(1, remote = profile("again"), .compute = name))
}
ran_in <- vapply(waiting, function(m) as.character(call_mirai(m)$data), "")
check("another job does what has waited", all(nzchar(ran_in)) &&
        !anyDuplicated(ran_in) && all(grepl("^[0-9]+$", ran_in)))
finish()
