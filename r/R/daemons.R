#' Set daemons
#'
#' Sets the R processes, 'daemons', that evaluate mirais: local ones by their
#' number, or ones that connect from elsewhere by the URLs to listen at. A
#' native dispatcher hands the tasks out, first in, first out.
#'
#' @param n the number of daemons. `0` ends them and goes back to a new process
#'   for each mirai; mirais that are unresolved then resolve to an error value
#'   7. `NULL` ends also those that were told to stay (`autoexit = FALSE`).
#' @param url URLs at which daemons connect, such as [host_url()]. With one URL
#'   and `n` greater than 1, paths `/1` to `/n` are appended to it, or, for
#'   `tcp://`, `n` consecutive ports are used. Port 0 stands for any free one.
#' @param remote how to launch the daemons on other machines, from
#'   [ssh_config()], [slurm_config()], [mpi_config()] or [remote_config()].
#'   `NULL`: they are launched by other means, such as the commands that
#'   [launch_remote()] prints. What becomes of the launches is told as messages,
#'   and shown by [status()].
#' @param dispatcher `FALSE`: each task is given to the next daemon in turn, and
#'   waits there; any number of daemons connect at one URL.
#' @param ... further arguments of [daemon()] for the daemons, by name, such as
#'   `cleanup = FALSE` or `maxtasks = 100`; also `token = TRUE`, which makes the
#'   URLs unguessable.
#' @param resilience `FALSE` with `dispatcher = FALSE`: a task whose daemon dies
#'   is not given to another one.
#' @param seed an integer. Then each task, and each element of [mirai_map()], has
#'   random numbers of its own, in the order in which they are submitted: they are
#'   the same whatever the number of daemons, and whichever of them does it, also
#'   where it has to be tried again. `NULL`: each daemon has a stream of its own,
#'   which starts from the session's random numbers.
#' @param tls for `tls+tcp://` and `wss://`. `NULL`: a key and a certificate are
#'   made in memory, and daemons know them by their credential. Else a
#'   certificate of your own with its private key, as PEM: the path of a file
#'   that holds both, or a character vector `c(certificate, key)`.
#' @param pass the password of that key, if it has one.
#' @param sync `TRUE`: there is no daemon. Each [mirai()] is evaluated in this
#'   session before it returns, for debugging: `browser()` works, and output,
#'   messages and warnings are shown. Its value is what a daemon would have made
#'   of it, errors and interrupts too; see the details. `n`, `.timeout` and what
#'   is for daemons elsewhere are without effect.
#' @param .compute the compute profile: a name under which these daemons are
#'   set, used by the functions that have the same argument. `NULL`: the
#'   name of `profile`, or the current one, see [with_daemons()].
#' @param profile the name of a compute profile that is written in a file, see
#'   [profile()]. It stands for the arguments that are not given: the number of
#'   daemons, `url`, `remote`, `retries`, and the limits of the daemons. Where it
#'   says `scale`, daemons are launched and let go as there is work, and `n` is
#'   the most of them.
#' @param retries how often a task is run again whose daemon was lost through
#'   no fault of the task. By cause: `c(2, oom = 1)`; causes are `killed`,
#'   `lost`, `preempted`, `node_fail`, `time_limit`, `job_cancelled` and, not
#'   tried again unless asked for, `oom`, `segfault`, `limit` (of processor time
#'   or file size) and `quit`. A profile can also say with how much more memory
#'   or time.
#' @param insecure `TRUE` where you know that what goes through a `tcp://` or
#'   `ws://` URL can be read and changed by others on the network: then you are
#'   not told so.
#'   Nobody gets in without a credential in either case.
#' @param reconnect seconds for which a daemon whose connection broke may come
#'   back before its task is given to another.
#' @param kill_after seconds after which a daemon is ended that does not obey
#'   the interrupt of [stop_mirai()] or `.timeout`. `NULL`: never.
#' @param memory bytes of tasks that may wait at the dispatcher before
#'   [mirai()] waits, and of what it keeps of [everywhere()]. `NULL`: half of the
#'   machine's memory.
#' @param credential `"@path"`: a file, made with mode 0600 where there is none,
#'   that keeps the key and the credentials for other sessions. Daemons with
#'   `autoexit = FALSE` that were launched with it find the next session.
#'   `NULL`: all are made anew, and end with the session.
#'
#' @param respawn `TRUE`: a daemon on this machine that ends though nobody has
#'   asked for it is started again: at once, and, where it ends again with
#'   nothing done, after 1 s, 5 s, 30 s and 2 min; then it is told, and not
#'   started any more. `FALSE`: none is, until [launch_local()].
#' @param patience seconds for which a profile whose tasks wait is without a
#'   daemon, and none can come: all have ended and are not started again, or all
#'   launches have failed. Then all that wait resolve to an error value 19 that
#'   says why, also those that have come last. `Inf`, in
#'   interactive sessions: for ever. Daemons that others may start, at a `url`
#'   for which nothing was launched or by a command that [launch_remote()] has
#'   printed, are waited for in any case.
#' @param safe `TRUE`: results are nothing but data. One that holds a function,
#'   a call (so also a formula or a model), an environment, a promise, an
#'   external pointer, a namespace or an S4 object resolves to an error value
#'   13, whose attribute `message` says what was found; nothing of it reaches R.
#'   Results that are no R value at all, or nest deeper than the C stack of R
#'   has room for (see [Cstack_info()]; 24,000 lists in each other, or 8,000
#'   environments, in the usual 8 MB), are refused in the same way whatever
#'   `safe` is. Where it is the calls which are open just now that leave too
#'   little room, `$data` is that error value in them, and the result elsewhere.
#' @param serial hooks that make bytes of objects which R cannot serialize, from
#'   [serial_config()]. `NULL`: those that packages have registered.
#' @param relay what of the things that tasks say while they run this session hears, see
#'   [mirai()]: `TRUE` all, `FALSE` nothing, or some of `"output"`, `"message"`,
#'   `"warning"`, `"condition"`.
#' @param options options of this session that all daemons get, wherever they are
#'   and whenever they come: `TRUE` for `warn`, `digits`, `scipen`, `OutDec`,
#'   `encoding` and those that begin with `tenkai.`; or their names, in which `*`
#'   stands for anything, such as `c("digits", "future.*")`; or values, as
#'   `list(digits = 4)`. They are as they were when `daemons()` was called, and
#'   are so again after a task that has changed them, see `cleanup` of
#'   [daemon()]. `NULL`: none.
#' @param open `TRUE`: any number of daemons connect at one URL, the first of `url`,
#'   and take tasks from the one queue; `launch_local(n =)` adds some at any time.
#'   [status()] counts them, and lists none of them. Not with `remote` or
#'   `profile`, whose launches are for daemons that have a place each; tasks are not
#'   tried again with more memory or time.
#'
#' @return The number of daemons, or, with `url` and without dispatcher or `open`,
#'   the URL. Without `n` and `url`: the value of [status()]. Where daemons are set
#'   already nothing changes, and the value is theirs; if something else was asked
#'   for than they were set with, a message says so.
#'
#' @details
#' Within an allocation of Slurm of more than one node (a job of `sbatch -N2`,
#' `salloc`), `n` daemons without `url` are steps of that job, spread over its nodes,
#' and so are those of a profile with `launcher: slurm`. They are online when
#' `daemons()` returns; where they cannot start, the error has the class
#' [tenkai_launch_error]. `TENKAI_ALLOCATION=0` in the environment keeps them local,
#' and lets profiles submit jobs of their own. Where the job has fewer processors
#' than a profile asks for, there is a warning.
#'
#' A task under which its daemon dies is tried as often as `retries` says, and
#' then resolves to an error value 19 that names each of the deaths.
#'
#' Daemons that a document of knitr or rmarkdown sets end with it if it fails, where
#' the session goes on; else they stay, as any others.
#'
#' Local daemons are ready when `daemons()` returns. If one cannot start, the
#' error says why and nothing stays set; if some take longer than 10 seconds,
#' there is a warning, and they may still come.
#'
#' Local daemons are like the session when `daemons()` is called: they have its
#' [.libPaths()], working directory, time zone and locale, also those that are
#' started later, and whatever a `.Rprofile` or `.Renviron` says that they read.
#' Daemons elsewhere have what is usual on their machine, or what the
#' `environment` of their [profile()] says. Nothing that a start-up file writes
#' is shown, unless `output = TRUE`. Where it ends R, the reason that is given for
#' the daemon has its last lines. `daemons()` in it sets none in a daemon.
#'
#' With `sync = TRUE` a task is copied as if it were sent, and gets its objects in
#' the global environment of this session. When it ends, what it has made there is
#' removed, what it has hidden is back, and so are packages and options, unless
#' `cleanup = FALSE`. It has a stream of random numbers of its own. Objects of the
#' session are visible to it, though a daemon would not have them.
#'
#' @seealso [status()], [launch_local()], [launch_remote()], [saisei()]
#' @examples
#' daemons(1)
#' status()
#' m <- mirai(Sys.getpid())
#' call_mirai(m)$data
#' daemons(0)
#'
#' with(daemons(1, .compute = "side"), {
#'   m <- mirai("done")
#'   call_mirai(m)$data
#' })
#' @export
daemons <- function(n, url = NULL, remote = NULL, dispatcher = TRUE, ...,
                    resilience = TRUE, seed = NULL, tls = NULL, pass = NULL,
                    .compute = NULL, retries = 2,
                    insecure = FALSE, reconnect = 60, kill_after = NULL,
                    memory = NULL, credential = NULL, safe = FALSE,
                    profile = NULL, respawn = TRUE,
                    patience = if (interactive()) Inf else 600,
                    sync = FALSE, serial = NULL, relay = FALSE, options = NULL,
                    open = FALSE) {
  if (!is.null(profile)) check_string(profile, "profile")
  .compute <- compute_of(.compute %||% profile)
  check_flag(dispatcher, "dispatcher")
  check_flag(sync, "sync")
  check_open(open, remote, profile)
  if (missing(n)) {
    if (is.null(profile) && is.null(url) && !sync) return(status(.compute))
    n <- NULL
  } else if (is.null(n) && is.null(url)) {
    return(reset(.compute, "end_all"))
  }
  check_flag(safe, "safe")
  check_flag(respawn, "respawn")
  check_serial(serial)
  relays <- relay_of(relay, "relay")
  options <- options_asked(options)
  if (!is.null(remote)) check_remote(remote)
  n <- daemon_number(n, url, dispatcher, profile)
  # To end daemons no profile need be read, and it may be wrong by now.
  if (identical(n, 0L)) return(reset(.compute, "end"))
  told <- daemon_options(...)
  asked <- c(mget(setdiff(names(formals(daemons)), not_compared)), told)
  set <- profile_of(.compute)
  if (is_alive(set)) return(stay(set, asked, .compute))
  if (is_starting()) return(invisible(none_while_starting()))
  if (sync) {
    value <- set_here(.compute, asked, told, options, seed, safe)
    begin_hooks(.compute, serial)
    return(value)
  }

  made <- new_profile(asked, policy_of(dispatcher, open), relays)
  made$for_hooks <- if (is.null(memory)) 0 else size_of_hooks(serial)
  stream <- first_stream(seed)
  retry <- if (!isTRUE(dispatcher) && !isTRUE(resilience)) "0" else
    if (!missing(retries) || is.null(profile)) retry_setting(retries)
  settings <- c(
    place_settings(made, n, .compute, url, remote, profile, told),
    list(stream = stream_setting(stream, seed)),
    access_settings(insecure, credential, tls, pass),
    endurance_settings(retry, reconnect, kill_after, respawn, patience),
    list(memory_limit = memory_setting(memory, made$for_hooks))
  )
  value <- set_daemons(made, settings, isTRUE(as.logical(told$output)), safe)
  keep_profile(.compute, made, value)
  if (!is.null(seed)) seed_tasks(made$link, stream)
  begin_tasks(.compute, serial, options, is_local = !is.null(settings$local))
  made$value
}

none_while_starting <- function() {
  message("tenkai: daemons() in a start-up file (.Rprofile) is for sessions; ",
          "this daemon reads it and sets none")
  0L
}

# What daemons have before their first task.
begin_tasks <- function(name, serial, options, is_local) {
  begin_hooks(name, serial)
  share_options(name, options)
  if (!is_local) share_as_mirai(name)
}

# The value of daemons(). Nothing is left of a dispatcher whose daemons do not come.
set_daemons <- function(made, settings, output, safe) {
  done <- FALSE
  on.exit(if (!done && !is.null(made$link)) close_link(made))
  ready <- open_profile(made, settings, output)
  n <- made$n <- as.integer(ready[["daemons"]])
  if (safe) .Call(tk_make_safe, made$link)
  if ("local" %in% names(ready)) await_daemons(made, n)
  if ("launches" %in% names(ready)) launch_usual(made)
  if ("steps" %in% names(ready)) await_steps(made, n)
  done <- TRUE
  if (made$one_url && "urls_given" %in% names(ready)) made$urls[1L] else n
}

#' @export
print.miraiDaemons <- function(x, ...) {
  print(unclass(x), ...)
  invisible(x)
}

# --- what daemons() does ---

# The argument of launch_remote() has the name of the function.
read_profile <- function(name) {
  check_string(name, "profile")
  profile(name)
}

# `kind`: a name of bye_kinds.
reset <- function(name, kind) {
  profile <- profile_of(name)
  if (!is.null(profile)) {
    rm(list = name, envir = profiles)
    close_link(profile, kind)
  }
  0L
}

# Launches that heal themselves and grow need places of their own.
check_open <- function(open, remote, profile) {
  check_flag(open, "open")
  if (!open || (is.null(remote) && is.null(profile))) return()
  stop("with 'open' daemons have no places that '",
       if (is.null(remote)) "profile" else "remote", "' could launch them for: ",
       "leave it out, and call launch_remote() or launch_local() afterwards",
       call. = FALSE)
}

# NULL: the dispatcher knows it, from the URLs, the profile or the machines.
daemon_number <- function(n, url, dispatcher, profile) {
  if (!is.null(url) && (!is.character(url) || anyNA(url) || !length(url) ||
                        any(grepl("[[:cntrl:]]", url)))) {
    stop("'url' must be a character vector of URLs, not ", describe(url),
         call. = FALSE)
  }
  if (is.null(n)) {
    return(if (!isTRUE(dispatcher) && is.null(profile)) 1L)
  }
  if (!is.numeric(n) || length(n) != 1L || is.na(n)) {
    stop("'n' must be numeric, did you mean to provide 'url'?", call. = FALSE)
  }
  if (abs(n) > .Machine$integer.max) {
    stop("'n' must be a number of daemons, not ", n, call. = FALSE)
  }
  n <- as.integer(n)
  if (!is.null(url)) {
    if (isTRUE(dispatcher) && n < 1L) {
      stop("'n' must be 1 or greater", call. = FALSE)
    }
    return(if (isTRUE(dispatcher)) n else 1L)
  }
  if (is.na(n) || n < 0L) {
    stop("the number of daemons must be zero or greater", call. = FALSE)
  }
  n
}

daemon_options <- function(...) {
  options <- list(...)
  ok <- vapply(options, function(x) {
    (is.numeric(x) || is.logical(x)) && length(x) == 1L
  }, NA)
  if (!all(ok)) {
    stop("'...' arguments should only be of integer, numeric or logical type",
         call. = FALSE)
  }
  if (length(options) && (is.null(names(options)) ||
                          !all(nzchar(names(options))))) {
    stop("all '...' arguments must be named", call. = FALSE)
  }
  for (each in intersect(names(options), ends_of_daemons)) {
    check_number(options[[each]], each, minimum = 1)
  }
  unknown <- setdiff(names(options), c(names(formals(daemon)),
                                       names(formals(dispatcher))))
  if (length(unknown)) warn_unknown(unknown[1L])
  options
}

# How much a daemon does before it ends. With nothing it would end for ever.
ends_of_daemons <- c("maxtasks", "idletime", "walltime")

warn_unknown <- function(name) {
  known <- setdiff(names(formals(daemon)), c("url", "..."))
  near <- if (nchar(name) > 3L) agrep(name, known, 2L, value = TRUE)
  warning("'", name, "' is no argument of daemon(), and has no effect",
          if (length(near)) paste0("; did you mean '", near[1L], "'?"),
          call. = FALSE)
}

# Starts the dispatcher. What it has made of the settings, as fields.
open_profile <- function(profile, settings, output) {
  # Those that are started later are like the session now.
  profile$session <- session_environment()
  profile$link <- start_dispatcher(output, profile$session)
  ready <- fields_of(.Call(tk_setup, profile$link, lines_of(settings)))
  fields <- function(key) unname(ready[names(ready) == key])
  for (text in fields("warning")) warning(text, call. = FALSE)
  profile$urls <- fields("url")
  profile$options <- from_pairs(fields("daemon"))
  profile$spare <- as.integer(fields("spare"))
  ready
}

# Local daemons are online when daemons() returns, or it says how many are not: it
# waits as long as another has come within `limit` seconds.
await_daemons <- function(profile, n, limit = 10) {
  reply <- ask(profile$link, "await", timeout = 1000 * limit,
               limit = 1000 * limit * (n + 1) + 2000)
  late <- is_error_value(reply) && unclass(reply) == 5L
  if (is_error_value(reply) && !late) {
    stop(reason_of(reply), call. = FALSE)
  }
  if (late) warn_late(attr(reply, "payload"), n, limit)
}

warn_late <- function(online, n, limit) {
  if (is.null(online) || !nzchar(online)) online <- "not all"
  warning(sprintf(paste0("%s of %d daemons are online, and none has come for ",
                         "%d s; the others may still come, see status()"),
                  online, n, limit),
          call. = FALSE)
}

# Launches the daemons of a new profile, as it was told to.
launch_usual <- function(profile) {
  reply <- ask(profile$link, "launch_remote", lines_of(list(usual = "1")),
               limit = 15000)
  if (is_error_value(reply)) stop(reason_of(reply), call. = FALSE)
}

# A request to the dispatcher: the text of its reply, or an error value.
ask <- function(link, name, payload = "", slot = NaN, kind = NaN,
                timeout = NaN, limit = 5000) {
  .Call(tk_ask, link, name, payload, as.double(c(slot, kind, timeout)), limit)
}

# --- numbers for others to read ---

# Not by format(), paste() and as.character(): how those write depends on the
# user's options (OutDec, digits, scipen).
whole <- function(x) sprintf("%.0f", round(x))

number_text <- function(x) {
  if (is.integer(x)) sprintf("%d", x) else sprintf("%.15g", x)
}
