# Launching by MPI, on one host.
source("common.R")

online <- function(...) sum(status(...)$daemons[, "online"])
launches <- function(...) attr(status(...), "launches", exact = TRUE)
mark <- paste0("TENKAI_FLOW=", Sys.getenv("TENKAI_FLOW"), " ")
ours <- function(pattern) {
  Filter(function(pid) {
    grepl(pattern, command_of(pid)) &&
      any(grepl(mark, lines_of_process(pid, "environ"), fixed = TRUE))
  }, as.integer(list.files("/proc", "^[0-9]+$")))
}
# The daemons that are there answer: a task for each of them.
answers <- function(n) {
  tasks <- lapply(seq_len(n), function(i) mirai({
    Sys.sleep(0.3)
    Sys.getpid()
  }))
  length(unique(unlist(lapply(tasks, function(m) call_mirai(m)$data))))
}
came <- function(n, ...) wait_for(function() online(...) == n, 40)

# --- 4 daemons ---

begun <- now()
n <- daemons(4, url = "wss://127.0.0.1:0", remote = mpi_config())
check("4 daemons: the value is their number", n == 4L)
check(sprintf("they come, after %.1f s", now() - begun), came(4))
check("each by a launch of its own, of one mpirun",
      identical(launches()$state, rep("joined", 4)) &&
        length(ours("^mpirun ")) == 1L)
check("and answer", answers(4) == 4L)
agents <- ours("^[^ ]*tenkai agent ")
seen <- call_mirai(mirai(list(grep("^(OMPI|PMIX)_", names(Sys.getenv()), value = TRUE),
                              Sys.getenv("TENKAI_RANK"))))$data
check("nothing of MPI is in their environment, but for the user's own word",
      identical(unique(sub("ROOT.*", "ROOT", seen[[1L]])),
                unique(sub("ROOT.*", "ROOT", grep("^OMPI_", names(Sys.getenv()), value = TRUE)))) &&
        identical(seen[[2L]], ""))
file <- sub(".*--credential @([^ ]+) .*", "\\1", command_of(agents[1L]))
secret <- substr(readLines(file, 1L), 30L, 70L)
in_sight <- Filter(function(pid) {
  any(grepl(secret, c(command_of(pid), lines_of_process(pid, "environ")), fixed = TRUE))
}, ours("."))
check("what lets them in is in a file of ours alone, and in no argument or variable",
      nchar(secret) == 41L && format(file.info(file)$mode) == "600" &&
        length(ours(".")) > 10L && !length(in_sight))
listening <- function(pid) {
  paths <- list.files(sprintf("/proc/%d/fd", pid), full.names = TRUE)
  inodes <- sub("socket:\\[(.*)\\]", "\\1", grep("socket", Sys.readlink(paths), value = TRUE))
  rows <- strsplit(trimws(readLines("/proc/net/tcp")), " +")
  any(vapply(rows, function(row) row[4L] == "0A" && row[10L] %in% inodes, NA))
}
held <- c(agents, ours("tenkai-mpi-spawn --rank"))
check("neither agents nor what holds them listen anywhere",
      length(held) == 8L && !any(vapply(held, listening, NA)))

# --- deaths ---

# One R: its agent starts it again.
victim <- call_mirai(mirai(Sys.getpid()))$data
tools::pskill(victim, tools::SIGKILL)
check("an R that is killed is started again", wait_for(function() {
  sum(status()$daemons[, "instance"]) == 5 && online() == 4
}, 20))
# One agent, in the middle of a task.
files <- file.path(work, paste0("begun.", 1:4))
go <- file.path(work, "go")
running <- lapply(1:4, function(i) mirai({
  file.create(file)
  while (!file.exists(go)) Sys.sleep(0.05)
  i
}, i = i, file = files[i], go = go))
wait_for(function() all(file.exists(files)))
tools::pskill(agents[1L], tools::SIGKILL)
wait_for(function() online() == 3)
invisible(file.create(go))
check("an agent that is killed takes no other with it, and no task",
      identical(vapply(running, function(m) call_mirai(m)$data, 1L), 1:4))
check("its launch is gone, the other three are there",
      wait_for(function() online() == 3, 10) &&
        identical(sort(launches()$state), c("gone", "joined", "joined", "joined")))
check("and answer", answers(3) == 3L)
slot <- which(status()$daemons[, "online"] == 0)
invisible(launch_remote(unname(slot), remote = mpi_config()))
check("a later launch brings another", came(4) && answers(4) == 4L)
# What only watches how an agent ends.
tools::pskill(ours("tenkai-mpi-spawn --rank")[2L], tools::SIGKILL)
check("what holds an agent is killed: the agent stays", answers(4) == 4L)
plugin <- ours("plugin mpi")
tools::pskill(plugin, tools::SIGKILL)
check("a plugin that is killed takes no daemon with it",
      length(plugin) == 1L && wait_for(function() length(ours("plugin mpi")) == 1L, 5) &&
        answers(4) == 4L)
invisible(daemons(0))
check("and what its launches held ends all the same", wait_for(function() {
  !length(ours("^mpirun |tenkai-mpi-spawn|tenkai agent"))
}, 10))

# --- ends ---

nothing <- function() !length(ours("^mpirun |tenkai-mpi-spawn|tenkai agent"))
invisible(daemons(2, url = "wss://127.0.0.1:0", remote = mpi_config(), autoexit = NA))
came(2)
begun <- file.path(work, "begun")
go <- file.path(work, "go-on")
file <- file.path(work, "finished")
m <- mirai({
  file.create(begun)
  while (!file.exists(go)) Sys.sleep(0.05)
  file.create(file)
}, begun = begun, go = go, file = file)
wait_for(function() file.exists(begun))
invisible(daemons(0))
invisible(file.create(go))
check("with autoexit = NA a task that runs is finished after the session, and that is all",
      wait_for(nothing, 10) && file.exists(file))

invisible(daemons(2, url = "wss://127.0.0.1:0", remote = mpi_config(), autoexit = FALSE))
came(2)
invisible(daemons(0))
Sys.sleep(1)
check("with autoexit = FALSE daemons stay", length(ours("tenkai agent")) == 2L)
tools::pskill(ours("^mpirun "), tools::SIGTERM)
check("and go with mpirun", wait_for(nothing, 10))

invisible(daemons(2, url = "wss://127.0.0.1:0"))
said <- system2(Sys.getenv("TENKAI_BIN"), c("launch", "--by", "mpi"), stdout = TRUE, stderr = TRUE)
check("tenkai launch does the same, from a terminal, and waits for all of them",
      online() == 2 && sum(grepl("has joined$", said)) == 2L && answers(2) == 2L)
if (online() != 2) print(said)
begun <- now()
invisible(daemons(0))
check(sprintf("daemons(0) ends all of it, after %.1f s", now() - begun), wait_for(nothing, 10))

# --- what others could reach ---

add <- function(...) system2("ip", c(...), stdout = FALSE, stderr = FALSE) == 0L
if (add("link", "add", "open0", "type", "veth", "peer", "name", "open1") &&
    add("address", "add", "10.213.9.1/24", "dev", "open0") &&
    add("link", "set", "open0", "up") && add("link", "set", "open1", "up")) {
  refused <- tryCatch(daemons(2, url = "wss://127.0.0.1:0", remote = mpi_config()),
                      error = conditionMessage)
  check("where others could reach it, MPI is off, and it is said why",
        is.character(refused) && grepl("listens at every address .*open0.*listen = \"all\"", refused))
  invisible(daemons(0))
  invisible(daemons(2, url = "wss://127.0.0.1:0", remote = mpi_config(listen = "all")))
  check("unless somebody has accepted it", came(2) && answers(2) == 2L)
  invisible(daemons(0))
  invisible(add("link", "delete", "open0"))
}

# --- what does not come, and why ---

expect_cause <- function(sentence, cause, remote, n = 1L, says = "") {
  name <- "trouble"
  begun <- now()
  suppressMessages({
    daemons(n, url = "wss://127.0.0.1:0", remote = remote, .compute = name)
    on.exit(daemons(0, .compute = name))
    wait_for(function() all(launches(name)$state == "failed"), 20, must = FALSE)
  })
  found <- launches(name)
  ok <- identical(found$cause, rep(cause, n)) && all(grepl(says, found$message))
  check(sprintf("%s: %s, after %.1f s", sentence, cause, now() - begun), ok)
  if (!ok) print(found)
}
expect_cause("no mpirun", "command_missing", mpi_config(program = "mpiruns"),
             says = "'mpiruns' was not found on this machine")
expect_cause("options that mpirun does not know", "exited", mpi_config(options = "--wibble"),
             says = "exit code 1 .*unknown option \"--wibble\"")
expect_cause("too few slots", "spawn_refused", n = 3L,
             mpi_config(options = c("--mca", "rmaps_base_oversubscribe", "0", "--host", "localhost:2")),
             says = "MPI did not start 3 processes: MPI_ERR_SPAWN.*not enough slots ")
expect_cause("no Rscript", "rscript_missing", mpi_config(rscript = "Rscriptless"), n = 2L)
expect_cause("a command that fails", "exited", mpi_config(rscript = "/bin/false"), n = 2L,
             says = "exit code 1")
finish()
