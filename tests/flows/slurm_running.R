# Jobs that are ended while a task runs.
source("truth.R")

names_of <- c("cancelled", "cancelled-2", "limited", "preempted", "node",
              "ghost", "requeued", "requeued-0", "suspended")
for (name in setdiff(names_of, "suspended")) begin(name)
# It is silent for longer than this.
begin("suspended", reconnect = 12)
check("daemons have come to all of them", wait_for(function() {
  all(vapply(names_of, function(name) online(name) > 0, NA)) &&
    online("cancelled-2") == 2
}, 40))
job_of <- function(name, i = 1L) launches(name)$job[i]

# Each task says where it ran; those that are let live end when told to, and one only
# after its job was begun again.
file_of <- function(name) file.path(work, paste0(name, ".end"))
run <- function(name) {
  mirai({
    until <- Sys.time() + 200
    cat(Sys.getpid(), "\n", file = paste0(file, ".begun"), append = TRUE)
    cat("begun\n")
    end <- paste0(file, Sys.getenv("SLURM_RESTART_COUNT"))
    while (!file.exists(end) && Sys.time() < until) Sys.sleep(0.2)
    Sys.getenv(c("SLURM_JOB_ID", "SLURMD_NODENAME", "SLURM_RESTART_COUNT"))
  }, file = file_of(name), .compute = name, .relay = TRUE)
}
tasks <- lapply(setNames(names_of, names_of), run)
begun <- function(name) file.exists(paste0(file_of(name), ".begun"))
check("tasks run in all of them",
      wait_for(function() all(vapply(names_of, begun, NA)), 20))
# What nobody has heard of since it was sent is for others: each of them has been heard.
check("and are heard", wait_for(function() {
  all(vapply(tasks, function(m) "begun" %in% m$output, NA))
}, 20))

since <- list()
mark <- function(name) since[[name]] <<- now()
# The time limit first: Slurm takes its time with it.
order("scontrol", c("update", paste0("JobId=", job_of("limited")),
                         format(Sys.time() + 5, "EndTime=%Y-%m-%dT%H:%M:%S")))
mark("limited")
# A node that is gone: its slurmd, and nothing that runs there answers any more.
nodes <- c(node = "n6", ghost = "n7")
kill_slurmd <- function(node) {
  system2("bash", c("-c", shQuote(paste(
    "kill -KILL $(cat", file.path(Sys.getenv("SLURM"), "run", node), ")"))))
}
frozen <- as.integer(readLines(paste0(file_of("node"), ".begun")))
agents <- parent_of(frozen)
for (pid in c(agents, frozen)) tools::pskill(pid, tools::SIGSTOP)
for (node in nodes) kill_slurmd(node)
mark("node")
mark("ghost")
jobs <- vapply(names_of, job_of, "")
order("scontrol", c("suspend", jobs["suspended"]))
mark("suspended")
order("scancel", jobs["cancelled"])
mark("cancelled")
running <- status("cancelled-2")$daemons[, "assigned"] > 0
order("scancel", job_of("cancelled-2", which(running)))
mark("cancelled-2")
invisible(file.create(file_of("cancelled-2")))
order("sbatch", c("-p", "high", "--exclusive", "--time=1", "-J", "urgent",
                       "-o", "/dev/null", "--wrap='sleep 5'"))
mark("preempted")
order("scontrol", c("requeue", jobs["requeued"]))
mark("requeued")
order("scontrol", c("requeue", jobs["requeued-0"]))
mark("requeued-0")
invisible(file.create(paste0(file_of("requeued"), "1")))

quick <- c("cancelled", "cancelled-2", "preempted", "requeued", "requeued-0")
took <- times_of_tasks(tasks[quick], since, 60)
place <- function(name, node = "n[0-9]") {
  paste0("^[^(]*daemon 1 \\(job ", jobs[name], " on ", node, "\\) was killed: ")
}
check_lost("cancelled while a task runs", tasks$cancelled,
           paste0(place("cancelled"), "CANCELLED"), took["cancelled"], 60)
check_lost("preempted", tasks$preempted,
           paste0(place("preempted", "n5"), "PREEMPTED"), took["preempted"], 60)
check_lost("put back into the queue", tasks$"requeued-0",
           paste0(place("requeued-0"), "it was put back into the queue"),
           took["requeued-0"], 60)
value <- tasks$"cancelled-2"$data
check(sprintf("a task of a cancelled job is done by another daemon, after %.1f s",
              took["cancelled-2"]), length(value) == 3L && took["cancelled-2"] < 30)
value <- tasks$requeued$data
check(sprintf("a job that is requeued comes back, and does its task, after %.1f s",
              took["requeued"]),
      length(value) == 3L && identical(value[[3L]], "1") &&
        length(readLines(paste0(file_of("requeued"), ".begun"))) == 2L)
if (length(value) != 3L || value[[3L]] != "1") {
  print(value)
  print(as.list(launches("requeued")))
  print(slurm_says("squeue"))
}

took <- c(took, times_of_tasks(tasks[c("limited", "node")], since, 90))
wait_for(function() now() - since$suspended > 25, 30)
row <- launches("suspended")
check("a job that is suspended is waited for, and status() says so",
      unresolved(tasks$suspended) && row$state == "joined" && grepl("SUSPENDED", row$message))
if (!unresolved(tasks$suspended)) print(tasks$suspended$data)
order("scontrol", c("resume", jobs["suspended"]))
invisible(file.create(file_of("suspended")))
value <- call_mirai(tasks$suspended)$data
runs <- length(readLines(paste0(file_of("suspended"), ".begun")))
check("when it goes on, so does its task, which has run once",
      length(value) == 3L && runs == 1L)
if (length(value) != 3L || runs != 1L) {
  cat("it has run", runs, "times; its value:\n")
  print(value)
}
check_lost("out of time", tasks$limited, paste0(place("limited"), "TIMEOUT"),
           took["limited"], 90)
check_lost("its node has failed", tasks$node,
           paste0(place("node", "n6"), "NODE_FAIL"), took["node"], 90)
# Slurm has given up that node, too, but what runs there is alive and answers.
wait_for(function() {
  any(grepl("NODE_FAIL", slurm_says("squeue", c("-h", "--states=all", "-j",
                                               jobs["ghost"], "-o", "%T"))))
}, 40, 0.5)
invisible(file.create(file_of("ghost")))
took <- c(took, times_of_tasks(tasks["ghost"], since, 60))
value <- tasks$ghost$data
check("a daemon that Slurm has given up, and that is there, answers, once",
      length(value) == 3L && value[[2L]] == "n7" &&
        sum(status("ghost")$daemons[, "complete"]) == 1L)
states <- vapply(c("cancelled", "preempted", "limited", "node"), function(name) {
  row <- launches(name)
  paste(row$state, row$where, row$reason)
}, "")
said <- mapply(grepl, c("^gone n[0-9] CANCELLED", "^gone n5 PREEMPTED",
                        "^gone n[0-9] TIMEOUT", "^gone n6 NODE_FAIL"), states)
check("status() says so, too", all(said))
if (!all(said)) print(states)
for (pid in c(frozen, agents)) tools::pskill(pid, tools::SIGKILL)
for (name in names_of) invisible(daemons(0, .compute = name))
finish()
