# A session and a fake Slurm, see slurm_truth_fake.sh.
source("truth.R")

folder <- Sys.getenv("FAKE_SLURM")
uid <- as.integer(system2("id", "-u", stdout = TRUE))
# The next submission is answered so; jobs of before go on as they were told.
play <- function(sbatch, more = "") {
  cat(sprintf('{"uid": %d, "sbatch": [{%s}]%s}', uid, sbatch, more),
      file = file.path(folder, "script.json"))
}
calls <- function(name) {
  if (!file.exists(file.path(folder, "calls"))) return(0L)
  as.integer(slurm_says("fake_slurm", c("count", name)))
}
since <- list()
ask <- function(name, sbatch, more = "") {
  play(sbatch, more)
  since[[name]] <<- now()
  before <- calls("sbatch")
  begin(name)
  wait_for(function() calls("sbatch") > before, 10)
  Sys.sleep(0.3)
}

# --- jobs that end before a daemon comes, by a word of Slurm's ---

ends <- function(word, more = "") {
  sprintf(paste0('"life": [[0, "RUNNING", {"node": "n7"}], ',
                 '[2, "%s", {"node": "n7"%s}]]'), word, more)
}
ask("oom", ends("OUT_OF_MEMORY", ', "exit": "0:125"'))
ask("boot", ends("BOOT_FAIL"))
ask("deadline", ends("DEADLINE"))
failed_now <- function(row) row$state == "failed"
names_of <- c("oom", "boot", "deadline")
took <- times_of(sapply(names_of, function(name) failed_now), since, 65)
check_failed("out of memory before it came", "oom", "oom", took["oom"], 60,
             where = "n7", reason = "OUT_OF_MEMORY")
check_failed("its node did not boot", "boot", "node_fail", took["boot"],
             60, where = "n7", reason = "BOOT_FAIL")
check_failed("its deadline came", "deadline", "time_limit",
             took["deadline"], 60, where = "n7", reason = "DEADLINE")
for (name in names_of) invisible(daemons(0, .compute = name))

# --- jobs that end while a task runs, by a word of Slurm's ---

words <- c("oom-2" = "OUT_OF_MEMORY", "boot-2" = "BOOT_FAIL",
           "deadline-2" = "DEADLINE", "preempted-2" = "PREEMPTED")
for (name in names(words)) {
  ask(name, sprintf('"run": true, "ends": "%s"', words[name]))
}
check("daemons come", wait_for(function() {
  all(vapply(names(words), function(name) online(name) == 1, NA))
}, 30))
tasks <- lapply(setNames(names(words), names(words)), function(name) {
  mirai({
    writeLines(as.character(Sys.getpid()), file)
    Sys.sleep(100)
  }, file = file.path(work, name), .compute = name)
})
wait_for(function() isTRUE(all(file.size(file.path(work, names(words))) > 0)), 20)
for (name in names(words)) {
  pid <- as.integer(readLines(file.path(work, name)))
  since[[name]] <- now()
  tools::pskill(parent_of(pid), tools::SIGTERM)
}
took <- times_of_tasks(tasks, since, 60)
for (name in names(words)) {
  pattern <- paste0("daemon 1 \\(job [0-9]+_0 on n1\\) was killed: ",
                    words[name])
  check_lost(paste(words[name], "while a task runs"), tasks[[name]], pattern,
             took[name], 60)
}
for (name in names(words)) invisible(daemons(0, .compute = name))

# --- answers that are lost, late or wrong ---

before <- calls("sbatch")
ask("lost-word", '"fails": "timeout", "done": true, "run": true')
check("sbatch says nothing of a job it has taken: the job is found, and is one",
      wait_for(function() online("lost-word") == 1, 20) && calls("sbatch") == before + 1L)
ask("dirt", paste0('"run": true, "before": "Welcome to 2026\\n42 nodes", ',
                   '"after": "Have fun\\n17", "stderr": "note 7"'))
check("dirt around the id", wait_for(function() online("dirt") == 1, 20))
ask("lag", '"run": true, "invisible": 20')
check("a job that Slurm does not show yet", wait_for(function() online("lag") == 1, 20))
for (name in c("lost-word", "dirt", "lag")) {
  value <- call_mirai(mirai(6 * 7, .compute = name))$data
  check(paste(name, "answers"), identical(value, 42))
}
# squeue and sacct are down: what the agent itself can tell is told all the same.
ask("down", '"run": true', paste0(', "squeue": [{"fails": "controller"}], ',
                                  '"sacct": [{"fails": "controller"}]'))
wait_for(function() online("down") == 1, 20)
begun <- file.path(work, "down")
task <- mirai({
  file.create(begun)
  Sys.sleep(100)
}, begun = begun, .compute = "down")
wait_for(function() file.exists(begun))
job <- launches("down")$job
order("scancel", sub("_.*", "", job))
since$down <- now()
took <- times_of_tasks(list(down = task), since, 60)
check_lost("Slurm tells nothing: the signal is what is known", task,
           "daemon 1 \\(job [0-9]+_0 on n1\\) was killed by signal 15", took, 60)
for (name in c("lost-word", "dirt", "lag", "down")) invisible(daemons(0, .compute = name))

# --- waits that do not pass ---

waits <- function(reason) sprintf('"life": [[0, "PENDING", {"reason": "%s"}]]', reason)
ask("too-long", waits("PartitionTimeLimit"))
took <- times_of(list("too-long" = failed_now), since, 15)
check_failed("more time than the partition allows", "too-long", "cannot_start", took["too-long"],
             10, where = "^$", says = "can never start.*slurm.time", reason = "PartitionTimeLimit")
check("it is cancelled", wait_for(function() {
  !length(slurm_says("squeue", c("-h", "-t", "PENDING", "-o", "%i")))
}, 10))
invisible(daemons(0, .compute = "too-long"))
# Nobody looks: it is told all the same, once, and waits on.
ask("held", waits("launch_failed_requeued_held"))
said <- character()
wait_for(function() {
  withCallingHandlers(unresolved(mirai(1, .compute = "held")), message = function(condition) {
    said <<- c(said, conditionMessage(condition))
    invokeRestart("muffleMessage")
  })
  length(said) > 0L
}, 10, must = FALSE)
job <- launches("held")$job
check("a job that is held is told with what to do, within 10 s", length(said) == 1L &&
        grepl(paste("scontrol release", job), said, fixed = TRUE))
if (length(said) != 1L) print(said)
check("... and waits on", launches("held")$state == "pending" && grepl("is held", launches("held")$message))
invisible(daemons(0, .compute = "held"))

# --- a limit of how many jobs there may be ---

for (name in c("eight", "grown")) {
  before <- calls("sbatch")
  ask(name, '"run": true', ', "max_array": 7, "max_submit": 5')
  check(paste(name, "- as many come as there may be"), wait_for(function() online(name) == 5, 30))
  check(paste(name, "- what could not be had is told, once"),
        wait_for(function() {
          launches(name)
          length(told[[name]]) > 0
        }, 10) && length(told[[name]]) == 1 &&
          grepl("AssocMaxSubmitJobLimit", conditionMessage(told[[name]][[1]])) &&
          identical(told[[name]][[1]]$cause, "submit_limit"))
  check(paste(name, "- few calls of sbatch"), calls("sbatch") - before <= 6L)
  Sys.sleep(2)
  tasks <- lapply(1:10, function(i) mirai(i, i = i, .compute = name))
  values <- lapply(tasks, function(task) call_mirai(task)$data)
  check(paste(name, "- what runs stays, and works"),
        online(name) == 5 && identical(unlist(values), 1:10))
  invisible(daemons(0, .compute = name))
}
play("")
check("nothing waits or runs any more",
      wait_for(function() !length(slurm_says("squeue", c("-h", "-o", "%i"))), 15))
finish()
