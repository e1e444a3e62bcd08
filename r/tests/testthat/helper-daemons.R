# Setting up what a test needs, and taking it away when the test ends.

# Runs `expr` when the calling test (or function) ends.
at_end <- function(expr, frame = parent.frame()) {
  do.call(on.exit, list(substitute(expr), TRUE, FALSE), envir = frame)
}

# daemons() for the rest of a test.
set_daemons <- function(..., .compute = "default", frame = parent.frame()) {
  cleaning <- bquote(daemons(0, .compute = .(.compute)))
  do.call(on.exit, list(cleaning, TRUE, FALSE), envir = frame)
  daemons(..., .compute = .compute)
}

# A folder for the rest of a test.
set_folder <- function(frame = parent.frame()) {
  folder <- tempfile("tenkai-")
  dir.create(folder)
  do.call(on.exit,
          list(bquote(unlink(.(folder), recursive = TRUE)), TRUE, FALSE),
          envir = frame)
  folder
}

# The value of a mirai, waited for.
value_of <- function(m) call_mirai(m)$data

evaluated <- function(expr, ...) {
  value_of(eval(bquote(mirai(.(substitute(expr)), ...))))
}

# Waits until `condition` holds; whether it did. The limit is for what never
# happens, not for what is slow.
wait_for <- function(condition, seconds = 60, pause = 0.02) {
  until <- Sys.time() + seconds
  while (!isTRUE(condition())) {
    if (Sys.time() > until) return(FALSE)
    Sys.sleep(pause)
  }
  TRUE
}

# The letter that the kernel has for the state of a process; "" where there is none.
state_of <- function(pid) {
  line <- tryCatch(
    suppressWarnings(readLines(sprintf("/proc/%d/stat", as.integer(pid)))),
    error = function(e) ""
  )
  sub("^[0-9]+ \\(.*\\) (.).*", "\\1", line[1L])
}

# Signal 0 also finds the dead whose parent has not looked yet.
is_running <- function(pid) !state_of(pid) %in% c("", "Z", "X")

is_error_code <- function(x, code) {
  inherits(x, "errorValue") && is.integer(x) && as.integer(x) == code
}

# The words behind an integer error value.
reason_of <- function(x) attr(x, "message", exact = TRUE)

printed <- function(x) utils::capture.output(print(x))

# Whether a process sleeps. Nothing is said of what it waits for: that must have
# begun before.
is_asleep <- function(pid) identical(state_of(pid), "S")

# Runs R code in another R session, with this one's packages; what it wrote. The
# shell runs `first` before. R's own limit does not end it, so it has one, which is
# within that of the test.
run_session <- function(code, environment = character(),
                        options = "--vanilla", first = ":") {
  seconds <- max(10, round(seconds_left()) - 20)
  script <- tempfile(fileext = ".R")
  on.exit(unlink(script))
  writeLines(code, script)
  libraries <- paste0("R_LIBS=", paste(.libPaths(), collapse = ":"))
  # A session with --vanilla leaves these behind for its children.
  unset <- "env -u R_PROFILE_USER -u R_ENVIRON_USER -u R_PROFILE -u R_ENVIRON"
  said <- suppressWarnings(system(paste(
    first, ";", unset, paste(shQuote(c(libraries, environment)), collapse = " "),
    "timeout --foreground -k 10", seconds,
    file.path(R.home("bin"), "Rscript"), options, script, "2>&1 </dev/null"
  ), intern = TRUE))
  if (identical(attr(said, "status"), 124L)) {
    stop(sprintf("waited for %g s in vain for the end of a session. It runs\n",
                 seconds), paste(code, collapse = "\n"), "\nand has written\n",
         paste(said, collapse = "\n"), call. = FALSE)
  }
  said
}

# Starts an R session beside this one; its pid. What it writes goes to a file.
start_session <- function(code, output, frame = parent.frame()) {
  script <- tempfile(fileext = ".R")
  pid_file <- tempfile()
  writeLines(code, script)
  system(paste(
    paste0("R_LIBS=", shQuote(paste(.libPaths(), collapse = ":"))),
    # What runs in the background ignores Ctrl-C, and R 4.5 leaves it so.
    "env --default-signal=INT",
    "sh -c", shQuote(paste("echo $$ >", pid_file, "; exec",
                           file.path(R.home("bin"),
                                     "Rscript"), "--vanilla", script,
                           ">", output, "2>&1 </dev/null")), "&"
  ))
  if (!wait_for(function() isTRUE(file.size(pid_file) > 1))) {
    stop("waited for a minute in vain for the beginning of a session",
         call. = FALSE)
  }
  pid <- scan(pid_file, 0L, quiet = TRUE)
  do.call(on.exit, list(bquote({
    tools::pskill(.(pid), tools::SIGKILL)
    unlink(.(c(script, pid_file)))
  }), TRUE, FALSE), envir = frame)
  pid
}

# Runs a command of launch_remote() in the background, as pasted into a shell.
paste_into <- function(shell, command, more = if (grepl("csh", shell))
                         ">& /dev/null &" else ">/dev/null 2>&1 &") {
  system2(shell, input = extended(command, more))
}

# A credential for a job of several daemons under one agent.
job_credential <- function(slots, ranks = 1, uses = 1) {
  link <- tenkai:::profiles$default$link
  tenkai:::ask(link, "credential", tenkai:::lines_of(list(
    slots = paste(slots, collapse = ","), ranks = paste(ranks),
    uses = paste(uses)
  )))
}

# A command of launch_remote() with more behind it, before its here-document.
extended <- function(command, more) {
  command <- unclass(command)
  if (!grepl("\n", command)) return(paste(command, more))
  sub("( &&)?\n", paste0(" ", more, "\n"), command)
}
