# Jobs that Slurm has forgotten before anybody asked: squeue knows them no more;
# the database may, or there is none. See slurm_truth_fake.sh.
source("truth.R")

uid <- as.integer(system2("id", "-u", stdout = TRUE))
since <- list()
# A Slurm of its own, that answers so for all of its jobs.
ask <- function(name, sbatch, accounting) {
  folder <- file.path(work, "purged", name)
  dir.create(folder, recursive = TRUE)
  cat(sprintf(paste0('{"uid": %d, "min_job_age": 0, "accounting": %s, ',
                     '"sbatch": [{%s}]}'), uid, accounting, sbatch),
      file = file.path(folder, "script.json"))
  usual <- Sys.getenv("FAKE_SLURM")
  Sys.setenv(FAKE_SLURM = folder)
  on.exit(Sys.setenv(FAKE_SLURM = usual))
  begin(name)
  since[[name]] <<- now()
}

life <- paste0('"life": [[0, "RUNNING", {"node": "n7"}], ',
               '[2, "OUT_OF_MEMORY", {"node": "n7", "exit": "0:125"}]]')
ask("purged", life, "true")
ask("purged-no-db", life, "false")
ask("purged-task", '"run": true, "ends": "TIMEOUT"', "true")
check("a daemon comes", wait_for(function() online("purged-task") == 1, 30))
file <- file.path(work, "purged-task.pid")
task <- mirai({
  writeLines(as.character(Sys.getpid()), file)
  Sys.sleep(200)
}, file = file, .compute = "purged-task")
wait_for(function() file.exists(file) && file.size(file) > 0, 20)
# The whole job at once, without a word: its script, its agent, its R.
r <- as.integer(readLines(file))
agent <- parent_of(r)
for (pid in c(parent_of(agent), agent, r)) tools::pskill(pid, tools::SIGKILL)
since$task <- now()

failed_now <- function(row) row$state == "failed"
names_of <- c("purged", "purged-no-db")
took <- times_of_tasks(list(task = task), since, 90)
check_lost("forgotten while a task ran", task,
           "daemon 1 \\(job [0-9]+_0 on n1\\) was killed: TIMEOUT",
           took["task"], 60)
took <- times_of(sapply(names_of, function(name) failed_now), since, 100)
check_failed("forgotten before it was asked for: the database knows", "purged",
             "oom", took["purged"], 70, where = "n7", reason = "OUT_OF_MEMORY")
check_failed("... or nobody does, and that is said", "purged-no-db", "unknown",
             took["purged-no-db"], 70, where = "",
             says = "does not know .* any more.*last sign: it was submitted")
for (name in c(names_of, "purged-task")) {
  invisible(daemons(0, .compute = name))
}
finish()
