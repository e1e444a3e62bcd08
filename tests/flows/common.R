# What the R scripts of the flows share; they run in this folder.
library(tenkai)

work <- commandArgs(TRUE)[1L]
failed <- FALSE

# Where it waits in vain for something, the sentence is not true, and what it waited for is
# said.
check <- function(sentence, ok) {
  ok <- tryCatch(ok, waited_in_vain = function(condition) {
    cat("    ", conditionMessage(condition), "\n", sep = "")
    FALSE
  })
  cat(if (isTRUE(ok)) "ok: " else "NOT OK: ", sentence, "\n", sep = "")
  if (!isTRUE(ok)) failed <<- TRUE
}

# Waits until `condition` holds. Where it does not within the limit, that is an error; with
# must = FALSE it is FALSE.
wait_for <- function(condition, seconds = 30, pause = 0.05, must = TRUE) {
  words <- substitute(condition)
  until <- now() + seconds
  while (!condition()) {
    if (now() > until) {
      if (!must) return(invisible(FALSE))
      stop(waited_in_vain(words, seconds))
    }
    Sys.sleep(pause)
  }
  invisible(TRUE)
}

waited_in_vain <- function(words, seconds) {
  message <- sprintf("waited for %g s in vain for: %s", seconds, paste(deparse(words), collapse = "\n"))
  structure(class = c("waited_in_vain", "error", "condition"), list(message = message, call = NULL))
}

# Everything else that waits, as call_mirai() does, may do so until the flow is about to be
# ended. Then it is said where the script was.
ends <- Sys.getenv("TENKAI_FLOW_ENDS")
if (nzchar(ends)) {
  globalCallingHandlers(error = function(condition) {
    struck <- gettext("reached session elapsed time limit", domain = "R")
    if (conditionMessage(condition) != struck) return()
    # This call, and the one of R's that makes it, are none of the script.
    calls <- c(if (sys.nframe() > 2L) list(sys.call(1L)), list(conditionCall(condition)))
    shown <- vapply(calls, function(call) paste(deparse(call, nlines = 10L), collapse = "\n    "), "")
    cat("NOT OK: the script ends before the time of the flow is over; it was in\n",
        paste0("    ", unique(shown), "\n"), sep = "")
  })
  setSessionTimeLimit(elapsed = max(1, as.numeric(ends) - as.numeric(Sys.time())))
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
