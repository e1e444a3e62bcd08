# Launches of jobs that never bring a daemon, and of some that wait.
source("truth.R")

names_of <- c("no-rscript", "no-module", "no-package", "other-version",
              "prologue", "crash", "cut", "nowhere", "memory", "hostile",
              "greedy", "down",
              "drained", "brief", "pair", "withdrawn", "named",
              if (Sys.getenv("APART") == "yes") "apart")
since <- list()
for (name in names_of) {
  since[[name]] <- now()
  begin(name)
}

failed_now <- function(row) row$state == "failed"
waits_now <- function(row) nzchar(row$reason) && row$reason != "None"
waiting <- c("greedy", "down", "drained", "pair")
expected <- lapply(setNames(names_of, names_of), function(name) {
  if (name == "named") function(row) row$state == "joined" else
    if (name == "withdrawn") function(row) nzchar(row$job) else
      if (name == "greedy") function(row) waits_now(row) || failed_now(row) else
        if (name %in% waiting) waits_now else failed_now
})
took <- times_of(expected, since, 60)
withdrawn <- launches("withdrawn")
order("scancel", withdrawn$job)
since$withdrawn <- now()

check_failed("Rscript is missing", "no-rscript", "rscript_missing",
             took["no-rscript"], says = "'Rscriptless' was not found")
check_failed("a module is missing", "no-module", "module_missing",
             took["no-module"], says = "no/such/1.0")
check_failed("tenkai is missing", "no-package", "package_missing",
             took["no-package"], exit_code = 1L)
check_failed("another version", "other-version", "version",
             took["other-version"], says = "version")
check_failed("the prologue ends it", "prologue", "module_missing",
             took["prologue"], says = "environment.prologue has ended",
             exit_code = 3L)
check_failed("R crashes at once", "crash", "killed", took["crash"], 60,
             signal = 11L)
check_failed("the URL cannot be reached from the job", "cut",
             "url_unreachable", took["cut"], says = "cannot reach")
check_failed("an unknown partition", "nowhere", "submit_refused",
             took["nowhere"], says = "nvalid partition", where = "", job = "")
check_failed("a partition that is a command", "hostile", "submit_refused",
             took["hostile"], says = "nvalid partition", where = "", job = "")
check_failed("more memory than there is", "memory", "submit_refused",
             took["memory"], says = "sbatch", where = "", job = "")

check_failed("more time than its partition allows", "brief", "cannot_start",
             took["brief"], 60, says = "can never start.*slurm.time", where = "^$",
             reason = "PartitionTimeLimit")
if (Sys.getenv("APART") == "yes") {
  check_failed("its node does not see the session's folder", "apart",
               "folder_missing", took["apart"], 60, where = "n11",
               says = "does not see the folder")
}

check_waits <- function(name, reason) {
  row <- launches(name)[1L, ]
  ok <- row$state == "pending" && grepl(reason, row$reason) &&
    grepl(reason, row$message) && length(told[[name]]) == 0L &&
    any(grepl(row$reason, capture.output(print(status(name))), fixed = TRUE))
  check(sprintf("%s: pending, %s, after %.1f s", name, row$reason, took[name]),
        ok && took[name] < 60)
  if (!ok) print(as.list(row))
}
# sbatch of Slurm 24.11 refuses what that of 22.05 lets wait.
if (failed_now(launches("greedy")[1L, ])) {
  check_failed("more processors than there are", "greedy", "submit_refused",
               took["greedy"], says = "CPU count", where = "", job = "")
} else {
  check_waits("greedy", "PartitionConfig")
}
check_waits("down", "PartitionDown|PartitionInactive")
check("... and it says what that means", grepl("its partition is down", launches("down")$message))
check_waits("drained", "ReqNodeNotAvail|Nodes required|Resources")
check_waits("pair", "ReqNodeNotAvail|Nodes required|Resources")
check(sprintf("a job name of the user's own loses no job: joined, after %.1f s",
              took["named"]), isTRUE(took["named"] < 30))

took["withdrawn"] <- times_of(list(withdrawn = failed_now), since, 60)
check_failed("cancelled by somebody while it waits", "withdrawn",
             "job_cancelled", took["withdrawn"], 60, says = "was cancelled",
             where = "^$", reason = "CANCELLED")
for (name in names_of) invisible(daemons(0, .compute = name))
finish()
