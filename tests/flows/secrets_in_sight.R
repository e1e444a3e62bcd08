# Launches daemons in all ways there are, and shows all that there is to show.
source("common.R")

secret <- function(name) file.path(work, "secret", name)
online <- function(profile) sum(status(profile)$daemons[, "online"])
shown <- file(file.path(work, "shown"), "w")
show <- function(...) write_all_of(shown, ...)
# What goes wrong is shown as well, with its call.
fails <- function(expr) {
  condition <- tryCatch(expr, error = identity, warning = identity)
  show(condition, conditionCall(condition), conditionMessage(condition))
  inherits(condition, "condition")
}
write_private <- function(lines, name) {
  old <- Sys.umask("077")
  on.exit(Sys.umask(old))
  writeLines(unclass(lines), secret(name))
  secret(name)
}
# Writes commands to a file that is ours alone, and gives it to a shell as if
# they were typed; the shell that R starts for that sees its name only. An
# interactive shell writes what is typed to its terminal, which is ours alone.
paste_into <- function(shell, commands, name) {
  file <- write_private(commands, name)
  said <- if (grepl("-i", shell)) "/dev/null" else file.path(work, "said")
  system(sprintf("%s <'%s' >>'%s' 2>&1 &", shell, file, said))
}

shells <- c("sh", "dash", "bash", "zsh", "bash -i")
shells <- shells[nzchar(Sys.which(sub(" .*", "", shells)))]
cat("shells:", toString(shells), "\n")
ways <- c("fd:3", "stdin", "file")
n <- length(shells) * length(ways) + 2L

# --- the usual way ---

invisible(daemons(n, url = "wss://127.0.0.1:0"))
for (slot in 1:2) {
  # What the daemon will get, and nobody is shown.
  line <- tenkai:::credential_of(tenkai:::profiles$default, slot)
  write_private(line, sprintf("line.%d", slot))
  # With output it is the session that starts it, else the dispatcher.
  launch_local(slot, output = slot == 2L)
}
rm(line)
for (shell in shells) for (way in ways) {
  slot <- slot + 1L
  name <- sprintf("command.%d", slot)
  file <- secret(sprintf("line.%d", slot))
  place <- if (way == "file") paste0("@", file) else way
  command <- launch_remote(slot, credential = place)
  paste_into(shell, command, name)
}
check(sprintf("%d daemons that were launched in all ways are there", n),
      wait_for(function() online("default") == n, 120))
if (online("default") < n) print(status())
value <- call_mirai(mirai(Sys.info()[["nodename"]]))$data
check("and work", is.character(value))

# --- with a key that is kept, and with a key of one's own ---

kept <- secret("kept")
invisible(daemons(3, url = "tls+tcp://127.0.0.1:0", .compute = "kept",
                  credential = paste0("@", kept)))
launch_local(1L, .compute = "kept")
paste_into("sh", launch_remote(2L, .compute = "kept"), "command.kept.2")
paste_into("sh", launch_remote(3L, .compute = "kept", credential = "stdin"),
           "command.kept.3")
check("daemons with a credential that is kept are there",
      wait_for(function() online("kept") == 3, 60))
password <- sub("password: ", "", readLines(secret("password")))
invisible(daemons(1, url = "wss://127.0.0.1:0", .compute = "own",
                  tls = secret("own.pem"), pass = password))
rm(password)
command <- launch_remote(1L, .compute = "own", tls = secret("own.certificate"))
paste_into("bash", command, "command.own.1")
check("and one of a dispatcher with a certificate of its own",
      wait_for(function() online("own") == 1, 60))

# --- everything that R shows of it ---

for (name in c("default", "kept", "own")) {
  profile <- tenkai:::profiles[[name]]
  show(profile, as.list(profile), ls.str(profile), profile$link, profile$value,
       status(name), nextget("urls", name), nextget("tls", name),
       nextget("pid", name))
  show(environment(profile$link), attributes(profile$link))
}
show(as.list(tenkai:::profiles), as.list(tenkai:::found))
# A command is printed whole for the one who asked for it, and not otherwise.
command <- launch_remote(1L)
paste_into("true", command, "command.shown")
writeLines(capture.output(str(command, nchar.max = 1e4), ls.str(),
                          str(list(a = command), nchar.max = 1e4)), shown)

# --- and of what goes wrong ---

line <- readLines(secret("line.5"))
copy <- secret("line.copy")
invisible(file.copy(secret("line.5"), copy, copy.mode = TRUE))
url <- nextget("urls")[5L]
check("a file that is there already is left alone",
      fails(launch_remote(1L, credential = paste0("@", copy))))
check("a credential in the place of its place is not taken",
      fails(daemon(url, credential = line)))
check("no file, no credential", fails(launch_remote(1L, credential = line)))
check("nor anything that is no file",
      fails(daemons(1, url = "wss://127.0.0.1:0", .compute = "bad",
                    credential = line)))
agent <- function(...) {
  words <- suppressWarnings(system2(Sys.getenv("TENKAI_BIN"), c("agent", ...),
                                    stdout = TRUE, stderr = TRUE))
  show(words)
  paste(words, collapse = " ")
}
try_file <- function(path) {
  agent("--url", url, "--credential", paste0("@", path),
        "--rscript", "/bin/false")
}
says <- function(words, expected) {
  if (!grepl(expected, words)) cat("    ", words, "\n")
  grepl(expected, words)
}
check("a credential that was used already says so",
      says(try_file(copy), "has been used already"))
middle <- nchar(line) %/% 2
mistyped <- line
substr(mistyped, middle + 1, middle + 1) <-
  if (substr(line, middle + 1, middle + 1) == "-") "_" else "-"
writeLines(mistyped, copy)
check("one that was mistyped says so", says(try_file(copy), "damaged"))
writeLines(substr(line, 1, middle), copy)
check("one that was cut says so", says(try_file(copy), "damaged"))
writeLines(line, copy)
fresh <- saisei(5L, force = TRUE)
check("one that was replaced says so",
      says(agent("--url", fresh, "--credential", paste0("@", copy)), "saisei"))

# --- files that are not ours alone ---

refused <- function(how, expected) {
  words <- try_file(copy)
  check(sprintf("a credential in a file that %s is refused", how),
        says(words, expected))
}
Sys.chmod(copy, "0644")
refused("others can read", "can be used by others; chmod 600")
Sys.chmod(copy, "0600")
link <- secret("link")
invisible(file.symlink(copy, link))
check("a symbolic link is refused", says(try_file(link), "is a symbolic link"))
unlink(link)
invisible(file.link(copy, secret("second.name")))
refused("has two names", "hard link")
unlink(secret("second.name"))
system2("chown", c("65534", copy))
refused("belongs to somebody else", "belongs to user 65534")
system2("chown", c("0", copy))
Sys.chmod(secret("."), "0777", use_umask = FALSE)
refused("is in a folder anybody can write to", "can be written to by others")
Sys.chmod(secret("."), "0700", use_umask = FALSE)
Sys.chmod(kept, "0644")
words <- tryCatch(daemons(1, url = "wss://127.0.0.1:0", .compute = "again",
                          credential = paste0("@", kept)),
                  error = conditionMessage)
check("a kept credential that others can read is refused",
      says(as.character(words), "can be used by others; chmod 600"))
Sys.chmod(kept, "0600")
show(words)
close(shown)

for (name in c("kept", "own")) invisible(daemons(0, .compute = name))
invisible(file.create(file.path(work, "done")))
finish()
