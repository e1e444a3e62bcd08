# Launching on a machine that has R alone.
source("common.R")

remote <- paste0("ssh://127.0.0.1:", Sys.getenv("PORT"))
sshd <- Sys.getenv("SSHD")
there <- Sys.getenv("THERE")
version <- as.character(packageVersion("tenkai"))
cache <- file.path(there, ".cache/tenkai", version)
brought <- function() dir(cache)
left <- function() setdiff(dir(cache, all.files = TRUE, no.. = TRUE),
                           c(brought(), ".lock"))
forget <- function() unlink(cache, recursive = TRUE)
launches <- function(...) attr(status(...), "launches", exact = TRUE)
lines_of <- function(name) {
  file <- file.path(sshd, name)
  if (file.exists(file)) readLines(file, warn = FALSE) else character()
}
logins <- function() sum(grepl("Accepted publickey", lines_of("one.log")))
starts <- function() length(lines_of("commands"))

# A session's first answer from there: after how many seconds, from where;
# or why there is none.
answer <- function(n = 1, config = ssh_config(remote), name = "default") {
  begun <- now()
  daemons(n, url = "wss://127.0.0.1:0", remote = config, .compute = name)
  on.exit(suppressMessages(daemons(0, .compute = name)))
  m <- mirai(dirname(find.package("tenkai")), .compute = name)
  came <- wait_for(function() {
    !unresolved(m) || "failed" %in% launches(name)$state
  }, 240, must = FALSE)
  failed <- launches(name)[1L, ]
  if (came && !unresolved(m)) {
    return(list(seconds = now() - begun, where = m$data, cause = ""))
  }
  list(seconds = NA, where = "", cause = failed$cause, message = failed$message)
}
# From a session that has this package from another library.
answer_of_session <- function(library) {
  call <- quote({
    daemons(1, url = "wss://127.0.0.1:0", remote = ssh_config(REMOTE))
    cat(call_mirai(mirai(dirname(find.package("tenkai"))))$data)
    daemons(0)
  })
  call <- do.call(substitute, list(call, list(REMOTE = remote)))
  file <- tempfile()
  writeLines(c(sprintf("library(tenkai, lib.loc = %s)",
                       encodeString(library, quote = "'")), deparse(call)),
             file)
  output <- system2(file.path(R.home("bin"), "Rscript"),
                    c("--vanilla", shQuote(file)), stdout = TRUE)
  paste(utils::tail(output, 1L), collapse = "")
}
quietly <- function(...) suppressMessages(answer(...))

# --- R alone ---

refused <- quietly(config = ssh_config(remote, bring = FALSE))
check("R alone there, bring = FALSE: package_missing",
      identical(refused$cause, "package_missing") && !dir.exists(cache))

before <- c(logins(), starts())
first <- answer(2)
check("R alone there: tenkai comes along", startsWith(first$where, cache))
cat("   first answer after", format(first$seconds, digits = 3), "s\n")
check("  over the one connection", logins() == before[1L] + 1L)
check("  and nothing but that is there",
      length(brought()) == 2L && !length(left()))
mode <- as.character(file.info(file.path(cache, brought()))$mode)
check("  which nobody else can read", all(mode == "700"))
made <- file.info(file.path(cache, brought()))$ctime
second <- answer(2)
check("again: it is there", startsWith(second$where, cache))
cat("   second answer after", format(second$seconds, digits = 3), "s\n")
check("  and nothing is copied",
      identical(file.info(file.path(cache, brought()))$ctime, made))

# --- what is there goes away, or is not ours alone ---

online <- function() sum(status()$daemons[, "online"])
daemons(2, url = "wss://127.0.0.1:0")
launch_remote(1, ssh_config(remote))
came <- wait_for(function() online() == 1, 120, must = FALSE)
forget()
launch_remote(2, ssh_config(remote))
check("what is removed while a session goes on is brought again",
      came && wait_for(function() online() == 2, 120) && length(brought()) == 2L)
daemons(0)
forget()
dir.create(cache, recursive = TRUE)
Sys.chmod(cache, "0777", use_umask = FALSE)
open <- quietly()
check("to where others can write nothing is brought",
      identical(open$cause, "package_missing") && !length(brought()) &&
        grepl("others can write to", open$message))
cat("  ", open$message, "\n")

# --- by the OpenSSH client ---

forget()
client <- answer(config = ssh_config(remote, command = "ssh"))
check("by the OpenSSH client, too", startsWith(client$where, cache))

# --- by a command, which finds it in the session's folder ---

forget()
by_command <- answer(config = remote_config(
  "env", c("-u XDG_CACHE_HOME", "-u TENKAI_BIN", paste0("HOME=", there),
           "R_LIBS=/none", "R_LIBS_USER=/none", "."), quote = FALSE
))
check("by a command, too", startsWith(by_command$where, cache))

# --- two at once ---

forget()
invisible(lapply(c("one", "two"), function(name) {
  daemons(1, url = "wss://127.0.0.1:0", remote = ssh_config(remote),
          .compute = name)
}))
both <- lapply(c("one", "two"), function(name) {
  mirai(dirname(find.package("tenkai")), .compute = name)
})
wait_for(function() !unresolved(both), 240)
check("two sessions at once: both answer",
      all(startsWith(vapply(both, function(m) format(m$data), ""), cache)))
check("  from what was made once", length(brought()) == 2L && !length(left()))
invisible(lapply(c("one", "two"), function(name) daemons(0, .compute = name)))

# --- another version ---

other <- file.path(there, "R", "tenkai")
dir.create(dirname(other))
invisible(file.copy(file.path(cache, grep("^library", brought(), value = TRUE),
                              "tenkai"), dirname(other), recursive = TRUE))
for (file in c("DESCRIPTION", "Meta/package.rds")) {
  path <- file.path(other, file)
  if (file == "DESCRIPTION") {
    writeLines(sub("^Version: .*", "Version: 0.0.1", readLines(path)), path)
  } else {
    meta <- readRDS(path)
    meta$DESCRIPTION["Version"] <- "0.0.1"
    saveRDS(meta, path)
  }
}
program <- file.path(sshd, "bin", "tenkai")
writeLines(c("#!/bin/sh", "echo 9.9.9"), program)
Sys.chmod(program, "755")
forget()
refused <- quietly(config = ssh_config(remote, bring = FALSE))
check("another version there, bring = FALSE: version",
      identical(refused$cause, "version"))
newer <- answer()
check("another version there: ours comes along, and is taken",
      startsWith(newer$where, cache))
unlink(c(dirname(other), program), recursive = TRUE)

# --- what keeps it from coming ---

expect_reason <- function(sentence, reason) {
  found <- quietly()
  good <- identical(found$cause, "package_missing") &&
    grepl(reason, found$message)
  check(paste0(sentence, ": package_missing, and why"), good)
  check("  and nothing half done is left", !length(left()))
  if (!good) print(found)
}
fake <- function(name, ...) {
  path <- file.path(sshd, "bin", name)
  writeLines(c("#!/bin/sh", ...), path)
  Sys.chmod(path, "755")
  path
}
forget()
program <- fake("uname", "echo Linux m68k")
expect_reason("another processor", "m68k.*TENKAI_BRING_PROGRAM")
unlink(program)
program <- fake("cat", "head -c 100000", "echo 'No space left on device' >&2",
                "exit 1")
expect_reason("a disk that is full", "No space left on device")
unlink(program)
program <- fake("cat", "exec head -c 100000")
expect_reason("what comes in part", "in part or damaged")
unlink(program)
Sys.setenv(TENKAI_BRING_PROGRAM = "/bin/true")
expect_reason("a program that does not run there", "does not run there")
Sys.unsetenv("TENKAI_BRING_PROGRAM")

# --- the connection is cut ---

forget()
begun <- file.path(sshd, "begun")
go_on <- file.path(sshd, "go-on")
program <- fake("cat", "head -c 100000", paste0(">", begun),
                paste0("while [ ! -e ", go_on, " ]; do sleep 0.1; done"),
                "exec /bin/cat")
invisible(daemons(1, url = "wss://127.0.0.1:0",
                  remote = ssh_config(remote)))
half <- wait_for(function() file.exists(begun), 120, must = FALSE) && length(left()) == 1L
plugin <- Filter(function(pid) grepl("plugin ssh", command_of(pid)),
                 children_of(nextget("pid")))
tools::pskill(plugin, tools::SIGKILL)
invisible(suppressMessages(daemons(0)))
invisible(file.create(go_on))
check("a launcher that is killed in the midst leaves nothing half done there",
      half && wait_for(function() !length(left()), 60) && !length(brought()))
unlink(program)

# --- another version of R ---

forget()
own <- file.path(work, "library")
dir.create(own)
invisible(file.copy(find.package("tenkai"), own, recursive = TRUE))
path <- file.path(own, "tenkai", "DESCRIPTION")
writeLines(sub("^Built: R [0-9.]*", "Built: R 3.6.0", readLines(path)), path)
compiled <- answer_of_session(own)
check("where R is of another version, the package is compiled there",
      startsWith(compiled, cache))
finish()
