# Daemons that are well, among sites and nodes that are not; in a session that
# is in a job itself, with what such a job leaves in its environment.
source("truth.R")

own_job <- Sys.getenv("SLURM_JOB_ID")
port <- as.integer(Sys.getenv("FIRST_PORT"))
error_of <- function(...) {
  said <- tryCatch(begin(...), error = conditionMessage)
  if (is.character(said)) said else "no error"
}
running <- function() slurm_says("squeue", c("-h", "-t", "PD,R", "-o", "%A"))
# Empty texts for what does not come.
values_of <- function(tasks, names) {
  wait_for(function() !any(vapply(tasks, unresolved, NA)), 40)
  lapply(tasks, function(m) {
    value <- m$data
    if (is.character(value) && length(value) == length(names)) value else
      setNames(character(length(names)), names)
  })
}

check("the session is in a job", nzchar(own_job))
Sys.setenv(TENKAI_ALLOCATION = "0")
# A user may have set these, and steps have them; each would ruin what is submitted or asked.
hostile <- list(
  SLURM_CPU_BIND = "map_cpu:7",
  SLURM_CPUS_PER_TASK = "77", SLURM_MEM_PER_NODE = "1T", SLURM_NTASKS = "7",
  SBATCH_PARTITION = "nowhere", SBATCH_EXPORT = "NONE",
  SQUEUE_PARTITION = "nowhere", SQUEUE_FORMAT = "%A", SQUEUE_STATES = "CD",
  SRUN_CPUS_PER_TASK = "77", PMI_RANK = "3", PMIX_RANK = "3",
  OMP_NUM_THREADS = "64"
)
do.call(Sys.setenv, hostile)
since <- list()
for (name in c("slow", "inside", "spread", "odd", "image", "login")) {
  since[[name]] <- now()
  begin(name)
}
Sys.unsetenv(names(hostile))

# --- ports ---

taken <- lapply(port + c(0L, 2L), serverSocket)
said <- error_of("taken")
check(paste("a port that somebody has is named:", said),
      grepl("Address in use", said) && grepl(port, said))
begin("range")
check("of a range it takes the one that is free", all(grepl(
  paste0(":", port + 1L), nextget("urls", "range"), fixed = TRUE
)))
said <- error_of("range-2")
check(paste("where none is, that is said:", said),
      grepl(sprintf("none of the ports %d-%d", port, port + 2L), said) &&
        grepl("in use", said))
for (each in taken) close(each)
check("... and nothing is set", status("taken")$connections == 0L &&
        status("range-2")$connections == 0L)

# --- where no job can be submitted ---

since$front <- now()
begin("front")
path <- Sys.getenv("PATH")
Sys.setenv(PATH = file.path(work, "image"))
since[["no-sbatch"]] <- now()
begin("no-sbatch")
Sys.setenv(PATH = path)
failed_now <- function(row) row$state == "failed"
names_of <- c("front", "no-sbatch")
took <- times_of(sapply(names_of, function(name) failed_now), since, 20)
inside <- paste0("runs inside of job ", own_job, ".*login node")
check_failed("this node may not submit", "front", "submit_refused",
             took["front"], says = paste0("denied.*", inside), where = "",
             job = "not-submitted")
check_failed("this node has no sbatch", "no-sbatch", "command_missing",
             took["no-sbatch"], says = paste0("sbatch.*", inside), where = "",
             job = "not-submitted")
said <- paste(slurm_says(Sys.getenv("TENKAI_BIN"),
                         c("run", "--profile", "front", "slurm_run.R")),
              collapse = " ")
check("tenkai run says so, too", grepl(inside, said))
if (!grepl(inside, said)) print(said)

# --- the environment, steps of tasks, threads ---

unwanted <- c("SLURM_CPU_BIND", "SBATCH_PARTITION", "SQUEUE_FORMAT")
seen <- c(unwanted, "SLURM_JOB_ID", "SLURM_CPUS_PER_TASK", "PMI_RANK",
          "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# A step of two tasks' own, at the same time.
look <- function(seen) {
  step <- suppressWarnings(system(paste(
    "timeout 15 srun --nodes=1 --ntasks=1 sh -c",
    "'sleep 1; echo $SLURM_JOB_ID $SLURM_STEP_ID $SLURMD_NODENAME'"
  ), intern = TRUE))
  c(Sys.getenv(seen), step = paste(tail(step, 1L), collapse = ""))
}
for (name in c("inside", "spread")) {
  came <- wait_for(function() online(name) == 2, 40, must = FALSE)
  check(paste0(name, ": daemons come, whatever the environment says"), came)
  # Nor would any of those that follow.
  if (!came) finish()
  tasks <- lapply(1:2, function(i) mirai(look(seen), look = look, seen = seen,
                                         .compute = name))
  values <- values_of(tasks, c(seen, "step"))
  ok <- vapply(values, function(value) {
    nzchar(value["SLURM_JOB_ID"]) &&
      value["SLURM_JOB_ID"] != own_job &&
      all(value[unwanted] == "") && value["PMI_RANK"] != "3"
  }, NA)
  check(paste0(name, ": nothing of another job is in theirs"), all(ok))
  ok <- vapply(values, function(value) {
    all(value[c("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")] == "3") &&
      value["SLURM_CPUS_PER_TASK"] == c(inside = "6", spread = "3")[[name]]
  }, NA)
  check(paste0(name, ": threads of each daemon are its processors"), all(ok))
  steps <- vapply(values, function(value) value[["step"]], "")
  jobs <- vapply(values, function(value) value[["SLURM_JOB_ID"]], "")
  check(paste0(name, ": both tasks start steps of their job"),
        length(unique(steps)) == 2L && all(startsWith(steps, jobs)))
  if (length(unique(steps)) < 2L || !all(ok)) print(values)
}

# --- a container ---

check("daemons come in a container",
      wait_for(function() online("image") == 1, 40))
value <- values_of(list(mirai(
  c(Sys.which(c("sbatch", "srun")), Sys.getenv(c("COLOUR", "BEFORE"))),
  .compute = "image"
)), 1:4)[[1L]]
check("... where there is no sbatch, with what was set up before it",
      identical(unname(value), c("", "", "it's $red", "set")))

# --- a bad node ---

rows <- launches("odd")
check("two nodes have jobs of an array", wait_for(function() {
  rows <<- launches("odd")
  sum(rows$state == "failed") >= 2L &&
    all(rows$state %in% c("failed", "joined"))
}, 40))
bad <- rows[rows$state == "failed", ]
check(sprintf("all %d on one node fail", nrow(bad)),
      nrow(bad) >= 2L && all(bad$where == "n9") && all(bad$cause == "exited") &&
        all(bad$exit_code == 9L))
is_named <- any(grepl("node n9 has failed 2 launches", bad$message)) &&
  wait_for(function() {
    launches("odd")
    said <<- vapply(told$odd, conditionMessage, "")
    any(grepl("node n9 has failed 2 launches", said))
  }, 5, must = FALSE)
check("it is named", is_named)
if (!is_named) print(list(bad, said))
again <- as.integer(unlist(strsplit(bad$daemons, ",")))[1:2]
hear("odd", invisible(
  launch_remote(again, remote = profile("odd"), .compute = "odd")
))
good <- 6L - nrow(bad) + 2L
check("and those that are launched in their place avoid it",
      wait_for(function() online("odd") == good, 30))
check("... on another one", wait_for(function() {
  all(tail(launches("odd")$where, 2L) == "n10")
}, 5))

# --- a limit of processor time, as login nodes have ---

check("a daemon of it comes", wait_for(function() online("login") == 1, 30))
pid <- nextget("pid", "login")
job <- sub("_.*", "", launches("login")$job)
lost <- mirai(Sys.sleep(200), .compute = "login")
check("... and runs as a job", job %in% running())
order("prlimit", c("--pid", pid, "--cpu=1"))
# As long as it takes where others compute, too.
until <- now() + 240
while (unresolved(lost) && now() < until) {
  some <- lapply(1:200, function(i) mirai(i, i = i, .compute = "login"))
  for (m in some) stop_mirai(m)
}
value <- if (unresolved(lost)) "unresolved" else lost$data
said <- paste(attr(value, "message"))
check(paste("a dispatcher that is killed for its processor time:", said),
      is_lost(value) &&
        grepl("signal 9 .*, after [1-3] s of processor time", said))
check("leaves no job", own_job %in% running() &&
        wait_for(function() !job %in% running(), 10))

# --- a slow start ---

took <- times_of(list(slow = function(row) row$state == "joined"), since, 90)
check(sprintf("a daemon that is slow to start is waited for: %.0f s", took),
      isTRUE(took > 20) && length(told$slow) == 0L)
if (!isTRUE(took > 20)) print(as.list(launches("slow")))
for (name in c("slow", "inside", "spread", "odd", "image", "range")) {
  invisible(daemons(0, .compute = name))
}
finish()
