# Eight daemons in one job, of which some end: as one agent's, and as ranks of a
# job with steps. And a session that is killed, and a plugin that is.
source("truth.R")

kinds <- c("chunk", "ranks")
for (name in kinds) begin(name)

# A task that tells who it is, and goes on until it is told to end, for each
# daemon but the one that comes last: that is idle, for longer than it may.
last <- file.path(work, "innocent.end")
ask <- function(name) {
  lapply(1:7, function(i) {
    mirai({
      cat(Sys.getpid(), "\n", file = file.path(work, paste0(name, ".", i)))
      until <- Sys.time() + 100
      while (!file.exists(last) && Sys.time() < until) {
        if (i == 1L && file.exists(go)) quit(status = 7)
        Sys.sleep(0.1)
      }
      Sys.getpid()
    }, i = i, name = name, work = work, last = last, .compute = name,
    go = file.path(work, "innocent.go"))
  })
}
tasks <- lapply(setNames(kinds, kinds), ask)
check("eight daemons of one agent, and eight of eight agents", wait_for(
  function() online("chunk") == 8 && online("ranks") == 8, 60))
pids_of <- function(name) {
  names <- file.path(work, paste0(name, ".", 1:7))
  wait_for(function() all(file.exists(names)) && all(file.size(names) > 0), 30)
  vapply(names, function(file) as.integer(readLines(file)), 0L)
}
pids <- lapply(setNames(kinds, kinds), pids_of)
idle <- lapply(setNames(kinds, kinds), function(name) {
  which(status(name)$daemons[, "assigned"] == 0)
})
invisible(file.create(file.path(work, "innocent.go")))
for (name in kinds) {
  tools::pskill(pids[[name]][2L], tools::SIGKILL)
  system2("kill", c("-SEGV", pids[[name]][3L]))
}
begun <- now()
for (name in kinds) {
  guilty <- tasks[[name]][1:3]
  names(guilty) <- c("quit", "kill", "crash")
  took <- times_of_tasks(guilty, lapply(guilty, function(m) begun), 30)
  check_lost(paste(name, "quit()"), guilty[[1L]],
             "ended by itself with exit code 7", took[1L], 10)
  check_lost(paste(name, "kill -9"), guilty[[2L]], "killed by signal 9",
             took[2L], 10)
  check_lost(paste(name, "segfault"), guilty[[3L]], "signal 11", took[3L], 10)
}
for (name in kinds) {
  gone <- length(idle[[name]]) == 1L && wait_for(function() {
    status(name)$daemons[idle[[name]], "online"] == 0
  }, 15, must = FALSE)
  check(sprintf("%s: the idle one reaches its idletime", name), gone)
}
# Longer than WaitTime, after which a site would end all the others.
Sys.sleep(7)
invisible(file.create(last))
for (name in kinds) {
  innocent <- tasks[[name]][4:7]
  values <- lapply(innocent, function(m) call_mirai(m)$data)
  same <- mapply(identical, values, as.list(unname(pids[[name]][4:7])))
  check(sprintf("%s: innocent deaths: %d of 4", name, sum(!same)), all(same))
  instances <- status(name)$daemons[, "instance"]
  check(sprintf("%s: those that ended were there again, and the idle one not",
                name), sum(instances) == 11 && instances[idle[[name]]] == 1)
  if (sum(instances) != 11) print(status(name)$daemons)
}
for (name in kinds) invisible(daemons(0, .compute = name))

# --- the plugin is killed while jobs run; then the session ---

begin("left")
begin("down")
wait_for(function() online("left") == 2, 30)
wait_for(function() nzchar(launches("down")$job), 10)
plugins <- unlist(lapply(c("left", "down"), function(name) {
  Filter(function(pid) grepl("plugin slurm", command_of(pid)),
         children_of(nextget("pid", name)))
}))
for (pid in plugins) tools::pskill(pid, tools::SIGKILL)
task <- mirai(Sys.sleep(30), .compute = "left")
value <- call_mirai(mirai(1 + 1, .compute = "left"))$data
check("a plugin that is killed takes no daemon with it",
      length(plugins) == 2L && identical(value, 2))
waiting <- launches("down")
check("nor a job that waits", waiting$state %in% c("submitted", "pending") &&
        nzchar(slurm_says("squeue", c("-h", "-j", waiting$job))[1L]))
order("scancel", waiting$job)
since <- list(down = now())
failed_now <- function(row) row$state == "failed"
took <- times_of(list(down = failed_now), since, 70)
check(sprintf("the next plugin follows it: %s, after %.1f s",
              launches("down")$cause, took),
      identical(launches("down")$cause, "job_cancelled"))
job <- sub("_.*", "", launches("left")$job[1L])
cat(job, file = file.path(work, "left.job"))
tools::pskill(Sys.getpid(), tools::SIGKILL)
