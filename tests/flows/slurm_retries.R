# What tests/flows/slurm_retries.sh does in an R session.
source("common.R")

online <- function(name) status(name)$daemons[1L, "online"] == 1
runs_of <- function(name) {
  length(suppressWarnings(tryCatch(
    readLines(file.path(work, paste0("runs-", name))), error = function(e) ""
  )))
}
jobs_of <- function(name) {
  jobs <- system2("squeue", c("-h", "-r", "-o", "'%A %j'"), stdout = TRUE)
  sub(" .*", "", grep(paste0(" tenkai-", name, "-[^-]*-[0-9]*$"), jobs,
                      value = TRUE))
}
# The agent is the parent of the R that has noted its run last.
agent_of <- function(name) {
  pid <- tail(readLines(file.path(work, paste0("runs-", name))), 1L)
  behind_name <- sub(".*\\) ", "", lines_of_process(as.integer(pid), "stat"))
  as.integer(strsplit(behind_name, " ")[[1L]][2L])
}

# How each end is had: by the task itself, or from outside, again for each run.
inside <- list(
  killed = quote(tools::pskill(Sys.getpid(), 9L)),
  segfault = quote(tools::pskill(Sys.getpid(), 11L)),
  quit = quote(quit("no", 3L)),
  oom = quote(x <- lapply(1:100, function(i) {
    Sys.sleep(0.02)
    rep(as.numeric(i), 1e6)
  }))
)
outside <- list(
  job_cancelled = function(name) system2("scancel", jobs_of(name)),
  # Silent; its end would be told as that of a killed job.
  lost = function(name) tools::pskill(agent_of(name), 19L)
)
words <- c(
  killed = "was killed by signal 9 \\(SIGKILL\\)",
  segfault = "was killed by signal 11 \\(segmentation fault\\)",
  quit = "ended by itself with exit code 3", oom = "was killed: OUT_OF_MEMORY",
  job_cancelled = "was killed: CANCELLED", lost = "did not come back"
)

names <- c("killed-2", "killed-0", "segfault-1", "quit-1", "quit",
           "job_cancelled-1", "job_cancelled-0", "lost-1", "lost-0", "oom-2",
           "oom")
for (name in names) invisible(daemons(profile = name, reconnect = 3))
check("the daemons come", wait_for(function() {
  all(vapply(names, online, NA))
}, 60))
tasks <- lapply(names, function(name) {
  end <- inside[[sub("-.*", "", name)]]
  if (is.null(end)) end <- quote(Sys.sleep(300))
  mirai({
    cat(Sys.getpid(), "\n", file = runs, append = TRUE)
    Sys.sleep(0.2)
    eval(end)
    Sys.sleep(300)
  }, end = end, runs = file.path(work, paste0("runs-", name)), .compute = name)
})
names(tasks) <- names

expected <- function(name) {
  if (grepl("-", name)) 1L + as.integer(sub(".*-", "", name)) else 1L
}
# From outside: once for each run, and another job where there is one to come.
for (name in grep("^(job_cancelled|lost)", names, value = TRUE)) {
  cause <- sub("-.*", "", name)
  for (run in seq_len(expected(name))) {
    check(sprintf("%s: run %d begins", name, run),
          wait_for(function() runs_of(name) >= run, 40))
    Sys.sleep(0.5)
    outside[[cause]](name)
    agent <- if (cause == "lost") agent_of(name)
    gone <- wait_for(function() !online(name), 40, must = FALSE)
    check("  its daemon is gone", gone)
    if (!is.null(agent)) tools::pskill(agent, 9L)
    if (run < expected(name)) {
      invisible(launch_remote(1, remote = profile(name), .compute = name))
    }
  }
}
for (name in names) {
  m <- tasks[[name]]
  resolved <- wait_for(function() !unresolved(m), 60, must = FALSE)
  said <- attr(m$data, "message")
  good <- resolved && is_error_value(m$data) && as.integer(m$data) == 19L &&
    grepl(words[[sub("-.*", "", name)]], said) &&
    runs_of(name) == expected(name) &&
    grepl(sprintf("it was tried %d times", expected(name)), said) ==
      (expected(name) > 1L)
  check(sprintf("%s: tried %d times of %d", name, runs_of(name), expected(name)),
        good)
  if (!good) print(said)
}
finish()
