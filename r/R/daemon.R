#' A daemon: an R process that evaluates tasks
#'
#' Connects to a dispatcher at `url` and evaluates what it is sent, until there
#' is a reason to stop. It is what [daemons()] starts on this machine, and what
#' the commands printed by [launch_remote()] run elsewhere; nobody needs to call
#' it otherwise.
#'
#' For a network URL the program `tenkai agent` does the talking: this R process
#' starts it, and only evaluates.
#'
#' @param url the URL to dial: one of those that [daemons()] listens at.
#' @param autoexit what happens when the connection ends. `TRUE`: exit; a task
#'   that is running is interrupted, and gets 5 seconds to obey. `NA`: finish
#'   the running task, then exit. `FALSE`: stay, and wait for another dispatcher
#'   at the same URL, and for the first one if there is none yet. A signal number such as `tools::SIGINT`: raise that signal
#'   in this process if a task is running, and exit.
#' @param cleanup whether to go back, after each task, to the state before it.
#'   `TRUE` (the sum of the first three), or a sum of 1 (remove new global
#'   objects), 2 (detach new packages, attach those that are missing), 4 (restore
#'   options, locale, sinks and the kind of random numbers, and close new graphics
#'   devices) and 8 (collect garbage). `FALSE`: no. What [everywhere()] has made,
#'   and the state of the random numbers, stay; so do the working directory,
#'   environment variables, open connections, and what packages that were loaded
#'   keep to themselves, such as S4 classes. Time limits and warnings always end
#'   with their task.
#' @param output whether output and messages of tasks are shown.
#' @param maxtasks the number of tasks after which to exit, at least 1.
#' @param idletime milliseconds to wait for a task before exiting, at least 1.
#' @param walltime milliseconds after which to exit, once a running task is
#'   done; at least 1.
#' @param timerstart the number of tasks after which the two clocks start.
#' @param ... not used.
#' @param tls how a dispatcher with a certificate of its own is known: the path
#'   of a PEM file, or `c(chain, "")`, with certificates that are trusted. `NULL`:
#'   by the credential; without one, by the authorities of this machine.
#' @param credential for network URLs, where the credential is found that
#'   [launch_remote()] has made: `"fd:3"`, the descriptor that a here-document
#'   of a shell is given as, `"stdin"`, or `"@path"`, a file that nobody else can
#'   read. It is read once, and stays out of R.
#' @param rs the initial `.Random.seed`, an L'Ecuyer-CMRG stream.
#'
#' @return When it is done, invisibly why: 0 the connection has ended, or the
#'   dispatcher has sent it away, 1 `idletime`, 2 `walltime`, 3 `maxtasks`.
#'   [nextcode()] has words for it. It is an error if nobody answers at `url`, or
#'   the connection breaks.
#' @examples
#' # the command for the machine that shall help calls daemon():
#' daemons(1, url = "tcp://127.0.0.1:0")
#' launch_remote(1, maxtasks = 10)
#' daemons(0)
#' @export
daemon <- function(url, autoexit = TRUE, cleanup = TRUE, output = FALSE,
                   maxtasks = Inf, idletime = Inf, walltime = Inf,
                   timerstart = 0L, ..., tls = NULL, rs = NULL,
                   credential = NULL) {
  # What tasks start, and their daemons(), is not meant.
  Sys.setenv(TENKAI_DAEMON_STARTS = "")
  become_like_session()
  check_string(url, "url")
  limits <- daemon_limits(autoexit, cleanup, maxtasks, idletime, walltime,
                          timerstart)
  # From when it has joined, an interrupt is meant for a task.
  why <- suspendInterrupts(
    serve(url, autoexit, credential, tls, rs, output, limits)
  )
  # Whoever sends it away ends the connection.
  invisible(if (why < length(codes)) why else 0L)
}

#' Why a daemon has ended
#'
#' @param xc the value of [daemon()], or several.
#' @return A string for each: the number and what it means. Anything else than 0
#'   to 3 is an error.
#' @examples
#' nextcode(0:3)
#' @export
nextcode <- function(xc) {
  if (!is.numeric(xc) || !length(xc) || !all(xc %in% (seq_along(codes) - 1L))) {
    stop("'xc' must be what daemon() has returned, 0 to 3, not ", describe(xc),
         call. = FALSE)
  }
  sprintf("%d | %s", as.integer(xc), codes[xc + 1L])
}

codes <- c("the connection has ended", "idle for as long as idletime says",
           "has lived as long as walltime says",
           "has done as many tasks as maxtasks says")

serve <- function(url, autoexit, credential, tls, rs, output, limits) {
  pointer <- open_daemon(url, autoexit, credential, tls)
  found$daemon <- found$serves <- TRUE
  on.exit(found$serves <- FALSE)
  if (!is.null(rs)) {
    assign(".Random.seed", as.integer(rs), envir = globalenv())
  }
  if (!output) {
    before <- sink.number()
    silence(before + 1L)
    on.exit(end_silence(before), add = TRUE)
  }
  # It is run for errors that nobody handles, as R sees it: those of tasks are
  # values, and nothing of the kind may end a daemon.
  kept <- options(error = NULL)
  on.exit(options(kept), add = TRUE)
  functions <- evaluation_functions()
  stays <- identical(autoexit, FALSE) && !is_elsewhere(url)
  repeat {
    why <- .Call(tk_daemon_run, pointer, functions, limits)
    if (!stays || why != 0L || startsWith(url, "fd:")) break
    .Call(tk_daemon_redial, pointer)
  }
  why
}

# What C++ calls before, for and after a task, in its order.
evaluation_functions <- function() {
  list(evaluate, escaped, restore_packages, options_restorer(), plain_error,
       global_state, restore_global_state, restore_kind, relay_handlers,
       begin_output, end_output)
}

# The sum that `cleanup` stands for.
cleanup_parts <- function(cleanup) {
  parts <- if (is.logical(cleanup)) 7 * isTRUE(cleanup) else cleanup
  check_number(parts, "cleanup")
  parts
}

daemon_limits <- function(autoexit, cleanup, maxtasks, idletime, walltime,
                          timerstart) {
  signal <- if (is.numeric(autoexit) && !is.na(autoexit)) autoexit else 0
  at_end <- if (is.na(autoexit)) 1 else if (signal || autoexit) 0 else 2
  for (each in ends_of_daemons) check_number(get(each), each, minimum = 1)
  check_number(timerstart, "timerstart")
  as.double(c(at_end, signal, cleanup_parts(cleanup), maxtasks,
              idletime, walltime, timerstart, interactive()))
}

# Whether each of them leads over the network; an error where one is no URL.
is_network <- function(url) .Call(tk_is_network, url)

# The same of what a daemon dials, which may be a descriptor, fd:N, as well.
is_elsewhere <- function(url) !startsWith(url, "fd:") && is_network(url)

open_daemon <- function(url, autoexit, credential, tls) {
  if (!is_elsewhere(url)) {
    stays <- identical(autoexit, FALSE)
    return(.Call(tk_daemon_open, url, version(), -1L, stays))
  }
  agent <- start_agent(url, autoexit, check_source(credential), tls)
  .Call(tk_daemon_open, url, version(), agent, FALSE)
}

# Where a credential is read from; the agent reads it.
check_source <- function(credential) {
  if (is.null(credential)) return()
  check_string(credential, "credential")
  if (!grepl("^(fd:[0-9]+|stdin|@.+)$", credential)) {
    stop("'credential' must be \"fd:3\", \"stdin\" or \"@path\"; the ",
         "credential itself is not given here", call. = FALSE)
  }
  if (interactive() && !startsWith(credential, "@")) {
    stop("in an interactive session the credential must be in a file: ",
         "credential = \"@path\"", call. = FALSE)
  }
  credential
}

# The path of a file with the certificates that are trusted: they are no secret.
trusted_file <- function(tls) {
  if (is.null(tls)) return()
  if (!is.character(tls) || !length(tls) || anyNA(tls)) {
    stop("'tls' must be the path of a PEM file, or c(chain, \"\"), not ",
         describe(tls), call. = FALSE)
  }
  if (!any(grepl("-----BEGIN", tls, fixed = TRUE))) return(path.expand(tls[1L]))
  path <- tempfile("tenkai-", fileext = ".pem")
  writeLines(tls[nzchar(tls)], path)
  path
}

# As the program and SETUP spell it.
autoexit_word <- function(autoexit) {
  if (is.na(autoexit)) "na" else if (identical(autoexit, FALSE)) "0" else "1"
}

# The agent becomes the parent of this R, so that it can say how R ended. In an
# interactive session it runs as a child instead: the terminal waits for us.
start_agent <- function(url, autoexit, credential, tls) {
  program <- find_program()
  check_version(program)
  argv <- c(program, "agent", "--url", url, "--adopt-pid", "@PID@",
            "--adopt-fd", "@FD@", "--autoexit", autoexit_word(autoexit),
            if (!is.null(credential)) c("--credential", credential),
            if (!is.null(tls)) c("--tls", trusted_file(tls)))
  source <- if (is.null(credential) || startsWith(credential, "@")) -1L else
    if (credential == "stdin") 0L else as.integer(substring(credential, 4L))
  .Call(tk_agent, argv, interactive(), source)
}

#' The dispatcher
#'
#' [daemons()] starts a dispatcher for each compute profile: the program
#' `tenkai`, a child of the session that ends with it. This function replaces
#' the current R process by a dispatcher for a session whose socket it has
#' inherited; users never call it.
#'
#' @param host `"fd:N"`, the number of the inherited socket.
#' @param url,n the URLs to listen at, or their number. The session says so
#'   itself when it connects; at least one of the two must be given.
#' @param ... not used.
#' @param asyncdial,token,tls,pass,rs,monitor not used; the session sends what a
#'   dispatcher needs.
#' @return Does not return.
#' @examples
#' # Users call daemons(), which starts one:
#' daemons(1)
#' nextget("pid")
#' daemons(0)
#' @export
dispatcher <- function(host, url = NULL, n = NULL, ..., asyncdial = FALSE,
                       token = FALSE, tls = NULL, pass = NULL, rs = NULL,
                       monitor = NULL) {
  if (is.null(n) && is.null(url)) {
    stop("at least one URL must be supplied for 'url' or ",
         "'n' must be at least 1")
  }
  check_string(host, "host")
  if (!grepl("^fd:[0-9]+$", host)) {
    stop("a dispatcher serves the session at the other end of a socket that ",
         "it has inherited: 'host' must be \"fd:N\", not \"", host, "\"; call ",
         "daemons() to have one started", call. = FALSE)
  }
  .Call(tk_replace, c(find_program(), "dispatcher"),
        as.integer(substring(host, 4L)))
}
