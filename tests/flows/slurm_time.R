# What tests/flows/slurm_time.sh does in an R session.
source("common.R")

online <- function(name) sum(status(name)$daemons[, "online"])
seconds_left <- function() {
  as.numeric(Sys.getenv("TENKAI_JOB_END")) - as.numeric(Sys.time())
}

invisible(daemons(profile = "minute"))
invisible(daemons(profile = "steps"))
check("the daemons come", wait_for(function() {
  online("minute") == 2L && online("steps") == 2L
}, 40))
begun <- now()
left <- vapply(c("minute", "steps"), function(name) {
  call_mirai(mirai(f(), f = seconds_left, .compute = name))$data
}, 0)
check(sprintf("an agent knows when its job ends (in %.0f and %.0f s)", left[1L], left[2L]),
      all(left > 5 & left <= 60))

# One of the two daemons is kept busy to the end, and beyond.
endless <- mirai(Sys.sleep(600), .compute = "minute")
long <- mirai(Sys.getpid(), .time_request = 300, .compute = "minute")
short <- mirai("done", .time_request = 1, .compute = "minute")
check("a short task passes one that no job has time for",
      identical(call_mirai(short)$data, "done") && unresolved(long))
handed_on <- mirai({
  began <- Sys.time()
  while (!file.exists(file)) Sys.sleep(0.2)
  Sys.getenv("SLURM_JOB_ID")
}, file = file.path(work, "end"), .compute = "steps")

lost <- call_mirai(endless)$data
took <- now() - begun
check(sprintf("what runs shortly before the end is handed back, after %.0f s", took),
      is_error_value(lost) && as.integer(lost) == 19L && took > 30 && took < 60 &&
        grepl("^daemon [12] \\(job [0-9_]+ on n[12]\\) had no time left in its job while it ran this task$",
              attr(lost, "message")))
if (!is.null(attr(lost, "message"))) print(attr(lost, "message"))
check("a daemon without a task goes by itself, and its job ends",
      wait_for(function() {
        online("minute") == 0L && online("steps") == 0L
      }, 20))

# Another job for the first slot, with more time.
invisible(launch_remote(1, remote = profile("again"), .compute = "minute"))
invisible(file.create(file.path(work, "end")))
invisible(launch_remote(1, remote = profile("again"), .compute = "steps"))
check("a job with more time brings what has waited",
      is.numeric(call_mirai(long)$data))
first <- call_mirai(handed_on)$data
check("and what was handed back is done there", is.character(first))
if (!is.character(first)) print(first)
finish()
