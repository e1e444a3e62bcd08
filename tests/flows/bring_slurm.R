# Jobs on nodes that have R alone.
source("common.R")

version <- as.character(packageVersion("tenkai"))
nodes <- c("n1", "n2")
cache <- function(node) file.path(work, "nodes", node, ".cache/tenkai", version)
brought <- function(node) dir(cache(node))
left <- function(node) {
  setdiff(dir(cache(node), all.files = TRUE, no.. = TRUE),
          c(brought(node), ".lock"))
}
forget <- function() {
  unlink(file.path(work, "nodes"), recursive = TRUE)
  unlink(dir(file.path(work, "fakes"), full.names = TRUE))
}
launches <- function(name) attr(status(name), "launches", exact = TRUE)
fake <- function(name, ...) {
  path <- file.path(work, "fakes", name)
  writeLines(c("#!/bin/sh", ...), path)
  Sys.chmod(path, "755")
}

# After how many seconds each daemon of a profile has answered, and from where; or why the first
# that has failed did.
answers <- function(name, n = 1, limit = 240) {
  begun <- now()
  suppressMessages(daemons(n, profile = name))
  on.exit(suppressMessages(daemons(0, .compute = name)))
  online <- function() sum(status(name)$daemons[, "online"])
  said <- FALSE
  came <- wait_for(function() {
    said <<- said || any(grepl("is brought along to n", launches(name)$message))
    online() == n || "failed" %in% launches(name)$state
  }, limit, 0.1, must = FALSE)
  failed <- launches(name)
  failed <- failed[failed$state == "failed", ]
  if (!came || nrow(failed)) {
    return(list(where = "", cause = paste(failed$cause[1L]), message = paste(failed$message[1L]),
                launches = launches(name)))
  }
  seconds <- now() - begun
  tasks <- lapply(seq_len(n), function(i) mirai({
    Sys.sleep(0.3)
    c(Sys.getenv("SLURMD_NODENAME"), dirname(find.package("tenkai")))
  }, .compute = name))
  found <- lapply(tasks, function(task) call_mirai(task)$data)
  node <- vapply(found, `[`, "", 1L)
  where <- vapply(found, `[`, "", 2L)
  list(seconds = seconds, where = where, node = node, cause = "", said = said,
       from_own = all(startsWith(where, vapply(node, cache, ""))))
}
expect_reason <- function(sentence, reason, name = "node", cause = "package_missing") {
  found <- answers(name)
  good <- identical(found$cause, cause) && grepl(reason, found$message)
  check(paste0(sentence, ": ", cause, ", and why"), good)
  check("  and nothing half done is left", !length(unlist(lapply(nodes, left))))
  if (!good) print(found)
  forget()
}

# --- in an allocation that the session is in ---

if ("steps" %in% commandArgs(TRUE)) {
  steps <- answers("node", 2)
  is_brought <- all(startsWith(steps$where, file.path(work, "nodes")))
  check("steps of an allocation bring it along", is_brought && setequal(steps$node, c("n1", "n2")))
  if (!is_brought) print(steps)
  finish()
}

# --- R alone ---

refused <- answers("none")
check("R alone there, bring: no: package_missing",
      identical(refused$cause, "package_missing") && !dir.exists(cache("n1")))
if (!identical(refused$cause, "package_missing")) print(refused)
forget()

first <- answers("array", 6)
check("R alone there: each job of an array comes", isTRUE(first$from_own))
if (!isTRUE(first$from_own)) print(first)
cat("   all there after", format(first$seconds, digits = 3), "s\n")
check("  on both nodes", setequal(first$node, nodes))
check("  each has program and package once, and nothing half done",
      all(lengths(lapply(nodes, brought)) == 2L) && !length(unlist(lapply(nodes, left))))
files <- file.path(cache("n1"), brought("n1"))
check("  which nobody else can read",
      all(as.character(file.info(files)$mode) == "700"))
made <- file.info(files)$ctime
second <- answers("array", 6)
check("again: it is there, and nothing is copied",
      isTRUE(second$from_own) && identical(file.info(files)$ctime, made))
cat("   all there after", format(second$seconds, digits = 3), "s\n")
ranks <- answers("ranks", 2)
# Their home is that of the job's script, as srun hands it on.
is_shared <- setequal(ranks$node, nodes) && all(startsWith(ranks$where, cache("n1")))
check("one job over two nodes that share a home, too", is_shared)
if (!is_shared) print(ranks)

forget()
program <- answers("program")
check("where the session's program runs there, its daemons bring the package",
      isTRUE(program$from_own) && identical(grep("^library", brought(program$node)), 1L))
if (!isTRUE(program$from_own)) print(program)

# --- another version ---

other <- file.path(work, "nodes", nodes, "R")
for (library in other) {
  dir.create(library, recursive = TRUE, showWarnings = FALSE)
  invisible(file.copy(find.package("tenkai"), library, recursive = TRUE))
  description <- file.path(library, "tenkai", "DESCRIPTION")
  writeLines(sub("^Version: .*", "Version: 0.0.1", readLines(description)), description)
  meta <- file.path(library, "tenkai", "Meta/package.rds")
  parts <- readRDS(meta)
  parts$DESCRIPTION["Version"] <- "0.0.1"
  saveRDS(parts, meta)
}
fake("tenkai", "echo 9.9.9")
newer <- answers("node")
check("another version there: ours comes along, and is taken", isTRUE(newer$from_own))
if (!isTRUE(newer$from_own)) print(newer)
forget()

# --- what another has left ---

for (node in nodes) {
  dir.create(file.path(cache(node), paste0(".new-", Sys.info()[["nodename"]], "-77")),
             recursive = TRUE)
  Sys.chmod(dirname(cache(node)), "700")
  Sys.chmod(cache(node), "700")
  # One that holds the lock is killed.
  system(paste("flock", shQuote(file.path(cache(node), ".lock")),
               "sh -c 'kill -9 $PPID; exit 0'"), ignore.stderr = TRUE)
}
after <- answers("node")
check("what a process has left that was killed is no hindrance, and goes",
      isTRUE(after$from_own) && !length(left(after$node)))
if (!isTRUE(after$from_own)) print(after)
forget()

# --- what keeps it from coming ---

fake("uname", "echo Linux m68k")
expect_reason("another processor", "m68k.*TENKAI_BRING_PROGRAM")
fake("cat", "head -c 100000", "echo 'No space left on device' >&2", "exit 1")
expect_reason("a disk that is full", "No space left on device")
fake("cat", "exec head -c 100000 \"$@\"")
expect_reason("what comes in part", "in part or damaged")
Sys.setenv(TENKAI_BRING_PROGRAM = "/bin/true")
expect_reason("a program that does not run there", "does not run there")
Sys.setenv(TENKAI_BRING_PROGRAM = "/no such program")
expect_reason("what cannot be packed", "could not be packed on the machine of the session")
Sys.unsetenv("TENKAI_BRING_PROGRAM")

# --- without the session's folder, by srun's one connection ---

home <- file.path(work, "nodes/srun")
dir.create(home, recursive = TRUE)
invisible(daemons(1, url = "wss://127.0.0.1:0", .compute = "srun", remote = remote_config(
  "srun", c(paste0("-Q -n1 -w n1 env -u XDG_CACHE_HOME -u TENKAI_BIN HOME=", home,
                   " R_LIBS=/none R_LIBS_USER=/none"), "."),
  credential = "stdin", quote = FALSE
)))
task <- mirai(dirname(find.package("tenkai")), .compute = "srun")
came <- wait_for(function() {
  !unresolved(task) || "failed" %in% launches("srun")$state
}, 240, must = FALSE)
check("by srun, which brings all through its standard input",
      !unresolved(task) && startsWith(task$data, cache("srun")))
if (unresolved(task)) print(launches("srun"))
invisible(suppressMessages(daemons(0, .compute = "srun")))
forget()

# --- another version of R ---

path <- file.path(find.package("tenkai"), "DESCRIPTION")
kept <- readLines(path)
writeLines(sub("^Built: R [0-9.]*", "Built: R 3.6.0", kept), path)
compiled <- answers("node")
writeLines(kept, path)
check("where R is of another version, the package is compiled there", isTRUE(compiled$from_own))
check("  and status() says meanwhile what it waits for", isTRUE(compiled$said))
if (isTRUE(compiled$from_own)) cat("   there after", format(compiled$seconds, digits = 3), "s\n")
if (!isTRUE(compiled$from_own)) print(compiled)
finish()
