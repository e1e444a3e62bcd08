# What the R scripts of the flows share; they run in this folder.
library(tenkai)

work <- commandArgs(TRUE)[1L]
failed <- FALSE

check <- function(sentence, ok) {
  cat(if (isTRUE(ok)) "ok: " else "NOT OK: ", sentence, "\n", sep = "")
  if (!isTRUE(ok)) failed <<- TRUE
}

# Waits until `condition` holds; whether it did within the limit.
wait_for <- function(condition, seconds = 30, pause = 0.05) {
  until <- now() + seconds
  while (!condition()) {
    if (now() > until) return(invisible(FALSE))
    Sys.sleep(pause)
  }
  invisible(TRUE)
}

# Runs a command of launch_remote() in the background, `before` and all.
run_launch <- function(command, before = "", output = "/dev/null") {
  system(sub("( &&)?\n", paste0(" >", shQuote(output), " 2>&1 &\n"),
             paste(before, unclass(command))))
}

# Writes all that print(), str() and format() show of some objects to a connection.
write_all_of <- function(connection, ...) {
  for (each in list(...)) {
    writeLines(capture.output({
      print(each)
      str(each, nchar.max = 1e4)
      print(attributes(each))
      try(cat(format(each), "\n"), silent = TRUE)
    }), connection)
  }
}

now <- function() as.numeric(Sys.time())

finish <- function() {
  invisible(daemons(0))
  quit(status = if (failed) 1L else 0L)
}

# A file of /proc; empty where the process is gone.
lines_of_process <- function(pid, name) {
  connection <- suppressWarnings(try(
    file(sprintf("/proc/%d/%s", pid, name), "rb"), silent = TRUE
  ))
  if (inherits(connection, "try-error")) return(character())
  on.exit(close(connection))
  bytes <- suppressWarnings(try(readBin(connection, "raw", 65536L), TRUE))
  if (!is.raw(bytes)) return(character())
  strsplit(rawToChar(replace(bytes, bytes == 0, charToRaw(" "))), "\n")[[1L]]
}

# The processes whose parent is `pid`.
children_of <- function(pid) {
  lines <- lines_of_process(pid, sprintf("task/%d/children", pid))
  as.integer(unlist(strsplit(trimws(lines), " +")))
}

is_running <- function(pid) {
  state <- grep("^State:", lines_of_process(pid, "status"), value = TRUE)
  length(state) == 1L && !grepl("^State:\\s+[ZX]", state)
}

# The command line of a process, "" if there is none such.
command_of <- function(pid) {
  paste(lines_of_process(pid, "cmdline"), collapse = " ")
}

parent_of <- function(pid) {
  line <- grep("^PPid:", lines_of_process(pid, "status"), value = TRUE)
  as.integer(sub("^PPid:\\s+", "", line))
}

descendants_of <- function(pid) {
  children <- children_of(pid)
  c(children, unlist(lapply(children, descendants_of)))
}

# The daemon of slot `i` among the children of the dispatcher, by its URL.
daemon_at <- function(i) {
  url <- rownames(status()$daemons)[i]
  pids <- children_of(nextget("pid"))
  pids[grepl(url, vapply(pids, command_of, ""), fixed = TRUE)]
}
