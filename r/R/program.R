# Finding the program `tenkai`, and starting dispatchers.

# Remembers what a search found, for the life of the session.
found <- new.env(parent = emptyenv())

version <- function() found$version

# The path of the program. Looks where ?tenkai says, in that order.
find_program <- function() {
  asked <- Sys.getenv("TENKAI_BIN")
  if (nzchar(asked)) {
    if (is_program(asked)) return(asked)
    stop("TENKAI_BIN names '", asked, "', which is not an executable file; ",
         "correct it, or unset it to look elsewhere", call. = FALSE)
  }
  places <- program_places()
  for (place in places) {
    if (is_program(place)) return(normalizePath(place))
  }
  stop("the program 'tenkai' was not found. Tried:\n",
       paste0("  ", names(places), ": ", ifelse(nzchar(places), places, "-"),
              collapse = "\n"),
       "\ninstall_program(from = ) takes the program of one file that release ",
       version(), " has. Or build or install it, and set TENKAI_BIN to its ",
       "path, or install this package again with TENKAI_PREFIX set to where ",
       "it is installed", call. = FALSE)
}

program_places <- function() {
  package <- getNamespaceInfo("tenkai", "path")
  record <- file.path(package, "program")
  recorded <- if (file.exists(record)) readLines(record, n = 1L) else ""
  build <- dirname(dirname(package))
  c(
    "by install_program()" = user_program(),
    "found at installation" = if (length(recorded)) recorded else "",
    "part of the package" = file.path(package, "bin", "tenkai"),
    "beside the library" = file.path(build, "bin", "tenkai"),
    "on PATH" = unname(Sys.which("tenkai"))
  )
}

is_program <- function(path) {
  nzchar(path) && !dir.exists(path) && file.access(path, mode = 1L) == 0L
}

# Before a process turns into the program it must be known to fit: afterwards
# there is nobody left to say so.
check_version <- function(program) {
  answer <- output_of(program, "--version")
  theirs <- sub("^[^0-9]*([0-9]+\\.[0-9]+\\.[0-9]+).*$", "\\1", answer[1L])
  if (.Call(tk_works_with, version(), theirs)) return(invisible())
  stop("the tenkai program '", program, "' is version ", theirs,
       ", this package is ", version(),
       ": install both from the same release", call. = FALSE)
}

# What the program writes; where it fails, with its status. By no system(): that of
# R 4.5 takes no path that the locale does not know.
output_of <- function(program, arguments, errors = "&1") {
  command <- paste(c(shQuote(program), arguments), collapse = " ")
  output <- pipe(paste0(command, " 2>", errors), "r")
  on.exit(close(output))
  lines <- readLines(output, warn = FALSE)
  on.exit()
  status <- close(output)
  if (status != 0) attr(lines, "status") <- status
  lines
}

# Starts a dispatcher and greets it. `output`: it and the daemons it starts
# write to where this session writes.
start_dispatcher <- function(output = FALSE,
                             session = session_environment()) {
  if (is_starting()) {
    stop("a daemon that reads its start-up file (.Rprofile) starts no other ",
         "process; use mirai() in sessions alone: if (interactive()) ...",
         call. = FALSE)
  }
  shown <- output || nzchar(Sys.getenv("TENKAI_LOG"))
  .Call(tk_connect, find_program(), daemon_environment(session), shown,
        version())
}

# Whether this R is to become a daemon, and has not yet: it reads a start-up file,
# which may call daemons(), whose daemons would read the same file, and so on. The
# environment says so where one of ours has started it, and the command line where
# somebody has typed what launch_remote() prints.
is_starting <- function() {
  said <- Sys.getenv("TENKAI_DAEMON_STARTS", NA)
  if (!is.na(said)) return(nzchar(said))
  any(grepl("^tenkai::(daemon|agent)\\(", commandArgs()))
}

# The environment of a dispatcher, which the daemons it starts inherit: they
# shall be like the session, and find no start-up file in the working directory
# that somebody else could have put there.
daemon_environment <- function(session = session_environment()) {
  c("TENKAI_DAEMON_STARTS=1",
    session,
    "R_TESTS",
    startup_file("R_PROFILE_USER", ".Rprofile"),
    startup_file("R_ENVIRON_USER", ".Renviron"))
}

startup_file <- function(variable, file) {
  if (nzchar(Sys.getenv(variable)) || .Call(tk_is_mine, file)) return()
  paste0(variable, "=", path.expand(file.path("~", file)))
}
