# What tests/flows/slurm_daemons.sh does in R sessions.
source("common.R")
part <- commandArgs(TRUE)[2L]

submissions <- function() {
  log <- readLines(file.path(work, "slurm/log/slurmctld.log"), warn = FALSE)
  sum(grepl("_slurm_rpc_submit_batch_job: JobId", log, fixed = TRUE))
}
where_it_ran <- function() {
  Sys.sleep(0.3)
  list(pid = Sys.getpid(), node = Sys.getenv("SLURMD_NODENAME"),
       job = Sys.getenv("SLURM_JOB_ID"), threads = Sys.getenv("OMP_NUM_THREADS"),
       colour = Sys.getenv("COLOUR"), number = stats::runif(1))
}
online <- function(name) sum(status(name)$daemons[, "online"])
all_online <- function(name, n) {
  wait_for(function() online(name) == n, 100)
}
# One answer of each daemon.
answers_of <- function(name, n) {
  tasks <- lapply(seq_len(n), function(i) mirai(f(), f = where_it_ran, .compute = name))
  lapply(tasks, function(task) call_mirai(task)$data)
}
field <- function(answers, name) vapply(answers, function(answer) as.character(answer[[name]]), "")
launches <- function(name) attr(status(name), "launches")

if (part %in% c("array", "chunks", "nodes")) {
  n <- c(array = 3L, chunks = 5L, nodes = 4L)[[part]]
  before <- submissions()
  set <- daemons(profile = part)
  check(paste0(part, ": the number of daemons is the profile's"), as.integer(set) == n)
  check(paste0(part, ": all daemons come"), all_online(part, n))
  check(paste0(part, ": one submission for all"), submissions() - before == 1L)
  answers <- answers_of(part, n)
  check(paste0(part, ": each daemon is an R of its own"), length(unique(field(answers, "pid"))) == n)
  check(paste0(part, ": each has its own random numbers"), length(unique(field(answers, "number"))) == n)
  check(paste0(part, ": the environment of the profile"),
        all(field(answers, "colour") == "it's $red") && all(field(answers, "threads") == "2"))
  seen <- launches(part)
  if (part == "array") {
    check("array: one launch for each daemon, named as Slurm does",
          nrow(seen) == 3L && all(grepl("^[0-9]+_[0-2]$", seen$job)))
  } else if (part == "chunks") {
    check("chunks: three agents have two, two and one of the daemons",
          identical(seen$daemons, c("1,2", "3,4", "5")))
    check("chunks: so many jobs as agents", length(unique(field(answers, "job"))) == 3L)
  } else {
    check("nodes: both nodes have daemons", setequal(field(answers, "node"), c("n1", "n2")))
    check("nodes: in one job", length(unique(field(answers, "job"))) == 1L)
  }
  check(paste0(part, ": the launches have joined"), wait_for(function() all(launches(part)$state == "joined"), 5))
  # The daemons may be there before the plugin has looked.
  says_where <- function() all(launches(part)$where %in% c("n1", "n2"))
  check(paste0(part, ": and say where"), wait_for(says_where, 10))
  daemons(0, .compute = part)
} else if (part == "by_hand") {
  daemons(3, url = "wss://:0", .compute = "array")
  script <- launch_remote(profile = "array")
  check("by_hand: nothing is submitted", all(launches("array")$state == "asked"))
  path <- file.path(work, "paste")
  writeLines(unclass(script)[[1L]], path)
  check("by_hand: what is printed can be pasted", system2("sh", path, stdout = FALSE) == 0L)
  check("by_hand: and brings the daemons", all_online("array", 3L))
  check("by_hand: it holds no credential", !any(grepl("dGVua2Fp", script)))
  daemons(0, .compute = "array")
} else if (part == "logs") {
  daemons(profile = "logs")
  check("logs: all daemons come", all_online("logs", 3L))
  tasks <- lapply(1:6, function(i) mirai({
    Sys.sleep(0.2)
    cat("to stdout from", i, "\n")
    message("to stderr from ", i)
    Sys.getenv("CUDA_VISIBLE_DEVICES")
  }, i = i, .compute = "logs"))
  devices <- vapply(tasks, function(task) call_mirai(task)$data, "")
  check("logs: daemons of one agent have devices of their own", setequal(devices, c("0", "1", "0,1,2")))
  folder <- file.path(work, "logs")
  numbers <- vapply(tasks, function(task) task$usage[["task"]], 1)
  of_tasks <- vapply(numbers, function(number) {
    file <- list.files(folder, paste0("-task-", number, "\\.log$"), full.names = TRUE)
    if (length(file) == 1L) paste(readLines(file), collapse = "|") else "none"
  }, "")
  check("logs: what a task writes is in its own file, and nothing else",
        all(of_tasks == paste0("to stdout from ", 1:6, " |to stderr from ", 1:6)))
  daemons(0, .compute = "logs")
  files <- list.files(folder, "-daemon-[1-3]\\.log$", full.names = TRUE)
  check("logs: each daemon has a log, which stays", length(files) == 3L)
  check("logs: nobody else can read it", all(as.character(file.mode(files)) == "600"))
} else if (part == "many") {
  before <- submissions()
  daemons(profile = "many")
  check("many: 64 daemons come", all_online("many", 64L))
  check("many: by one submission", submissions() - before == 1L)
  tasks <- lapply(1:256, function(i) mirai({
    Sys.sleep(0.2)
    Sys.getpid()
  }, .compute = "many"))
  pids <- vapply(tasks, function(task) call_mirai(task)$data, 1L)
  check("many: all of them answer", length(unique(pids)) == 64L)
  daemons(0, .compute = "many")
} else if (part == "silent") {
  daemons(profile = "silent")
  wait_for(function() nzchar(launches("silent")$job), 20)
  file.create(file.path(work, "silent"))
  # Whoever waits for a value need not ask for the state.
  task <- mirai(1, .timeout = 100000, .compute = "silent")
  told <- tryCatch(call_mirai(task), tenkai_launch_error = identity)
  check("silent: a job that ends without a word is not waited for", unresolved(task))
  check("silent: why is found out, and told to who waits for a value",
        identical(told$cause, "module_missing") && grepl("prologue has ended", told$detail))
  daemons(0, .compute = "silent")
} else if (part == "killed") {
  daemons(profile = "chunks")
  stopifnot(all_online("chunks", 5L))
  # One that still waits in the queue, and one that runs something.
  launch_remote(1, remote = slurm_config(nodes = 2, options = "--exclusive"), .compute = "chunks")
  busy <- mirai(Sys.sleep(600), .compute = "chunks")
  file.create(file.path(work, "online"))
  Sys.sleep(600)
}
quit(status = as.integer(failed))
