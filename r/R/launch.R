#' Launch daemons
#'
#' `launch_local()` starts a daemon on this machine; `launch_remote()` starts it on
#' another one, or returns the shell commands that do, to be pasted there.
#'
#' @param url one or more URLs as strings, or the numbers of URLs of the
#'   profile, as [status()] shows them; for `launch_remote()` also a cluster of
#'   [make_cluster()], or a node of it. For `launch_local()` it may be left out:
#'   then `n` daemons are launched. Where no daemons are set here,
#'   `launch_remote()` runs the command of [remote_config()] or [ssh_config()] as
#'   it stands, and cannot know what becomes of it.
#' @param remote how to launch, from [ssh_config()], [slurm_config()],
#'   [mpi_config()], [remote_config()] or [profile()]. Without a command, as by default, the
#'   commands to run are returned, and nothing is run.
#' @param profile the name of a compute profile in a file, see [profile()]: what
#'   it would run is returned, for you to run by hand, and all is made ready for
#'   it. `url` may then be left out.
#' @param ... further arguments of [daemon()], by name; they come before those
#'   that were given to [daemons()].
#' @param n instead of `url`, by its name: how many daemons to launch, each at
#'   the first URL where none is connected and none was launched before. It is an
#'   error if there are fewer. `NULL`: one for each `url`, or one.
#' @param tls how daemons know a dispatcher with a certificate of its own: the
#'   path of a PEM file on their machine, or `c(chain, "")` with the certificates
#'   themselves. `NULL`: by the credential.
#' @param credential how the commands hand the credential to the daemon:
#'   `"fd:3"`, as a here-document; `"stdin"`, the same on standard input, which
#'   `csh` can read, too, but behind which nothing can be put; or
#'   `"@path"`, in a file that is written here, mode 0600, and must be there on
#'   the other machine. More than one get `.1`, `.2` and so on behind the path.
#'   For commands that are not run; see [remote_config()] for those that are.
#' @param dry_run `TRUE`: with `remote`, nothing is run, and what would be is
#'   returned.
#' @param .compute the compute profile, see [daemons()]. `NULL`: the name of
#'   `profile`, or the current one, see [with_daemons()].
#' @details
#' For network URLs a command holds a credential, which lets one daemon in, once:
#' whoever has it first comes in, so do not leave it where others can read it. A
#' credential that was used says so; `launch_remote()` then makes another. Without
#' dispatcher it is good for any number of daemons until `daemons(0)`.
#'
#' @return `launch_local()`: invisible `NULL`. `launch_remote()`: the commands,
#'   which print ready to be copied; with `remote` those that were run, without
#'   what lets the daemons in, one for each machine.
#' @examples
#' daemons(url = "tcp://127.0.0.1:0", dispatcher = FALSE)
#' launch_local(n = 1)
#' m <- mirai("from a launched daemon")
#' call_mirai(m)$data
#' launch_remote(1)
#' daemons(0)
#' @export
launch_local <- function(url, ..., n = NULL, tls = NULL, .compute = NULL) {
  profile <- profile_of(.compute)
  check_elsewhere(profile)
  if (missing(url)) {
    url <- vacant_places(n %||% 1L, profile, compute_of(.compute))
  } else if (!is.null(n)) {
    stop("either 'url' or 'n' says where daemons are launched, not both",
         call. = FALSE)
  }
  url <- launch_urls(url, profile)
  dots <- daemon_options(...)
  output <- isTRUE(as.logical(dots$output))
  for (each in url) {
    slot <- match(each, profile$urls)
    # The dispatcher ends what it has started, so a daemon that is to outlive
    # it is started on its own.
    autoexit <- if (!is.null(dots$autoexit)) value_text(dots$autoexit)
    if (is.na(slot) || output ||
        !identical(autoexit %||% profile$options$autoexit,
                   profile$options$autoexit)) {
      launch_alone(each, slot, dots, tls, profile, output)
      next
    }
    reply <- ask(profile$link, "launch", lines_of(list(
      slot = whole(slot), daemon = pairs_of(dots), tls = tls
    )))
    if (is_error_value(reply)) {
      stop(reason_of(reply), call. = FALSE)
    }
  }
  invisible()
}

# The numbers of `n` URLs at which a daemon can be launched. Those that were
# launched by an earlier call and have not come yet count as taken.
vacant_places <- function(n, profile, name) {
  check_number(n, "n", minimum = 1)
  if (is.null(profile)) stop(not_set(name, NULL))
  if (profile$one_url) return(rep(1L, n))
  daemons <- status_of(profile)$daemons
  if (is_error_value(daemons)) stop(reason_of(daemons), call. = FALSE)
  instance <- abs(daemons[, "instance"])
  # The instance that each place had when a daemon was launched for it.
  launched <- profile$launched %||% rep(NA, length(profile$urls))
  coming <- (launched[seq_along(instance)] == instance) %in% TRUE
  vacant <- which(daemons[, "online"] == 0L & !coming)
  if (length(vacant) < n) {
    awaited <- paste(which(coming), collapse = ", ")
    stop("'n' is ", whole(n), ", and ", length(vacant), " of the ",
         length(instance), " URLs are vacant", if (any(coming)) {
           paste0(" (daemons launched for ", awaited, " may still come)")
         }, ": set more daemons(), or say where by 'url'", call. = FALSE)
  }
  places <- unname(vacant[seq_len(n)])
  launched[places] <- instance[places]
  profile$launched <- launched
  places
}

# Starts a daemon without the dispatcher.
launch_alone <- function(url, slot, dots, tls, profile, output) {
  secret <- is_network(url) && !is.na(slot)
  call <- daemon_call(url, launch_options(dots, profile), tls,
                      if (secret) "fd:3", local = TRUE)
  session <- profile$session %||% session_environment()
  .Call(tk_launch, c(rscript(), "-e", call), daemon_environment(session), output,
        if (secret) credential_of(profile, slot) else "")
}

#' @rdname launch_local
#' @export
launch_remote <- function(url, remote = remote_config(), ..., tls = NULL,
                          .compute = NULL, credential = "fd:3",
                          dry_run = FALSE, profile = NULL) {
  if (!is.null(profile)) check_string(profile, "profile")
  .compute <- compute_of(.compute %||% profile)
  by_hand <- !is.null(profile) && missing(remote)
  if (by_hand) remote <- read_profile(profile)
  remote <- remote %||% remote_config()
  check_remote(remote)
  if (!missing(url) && is_of_cluster(url)) {
    .compute <- attr(url, "id")
    url <- slots_of(url)
  }
  profile <- profile_of(.compute)
  check_elsewhere(profile)
  if (missing(url) && by_hand) {
    if (is.null(profile)) {
      stop("no daemons are set under the name '", .compute, "': call daemons(n, ",
           "url = \"wss://:0\", .compute = \"", .compute, "\") first, which ",
           "then wait for what you launch by hand", call. = FALSE)
    }
    url <- profile$urls
  }
  url <- launch_urls(url, profile)
  dots <- daemon_options(...)
  if (!is.null(remote$command)) {
    check_flag(dry_run, "dry_run")
    if (is.null(profile) && !is.null(remote$args)) {
      return(launch_unknown(url, remote, dots, tls, dry_run))
    }
    slots <- if (is.null(profile)) NA else match(url, profile$urls)
    if (anyNA(slots)) {
      stop("launching needs daemons that are set at this URL: call ",
           "daemons(url =) first", call. = FALSE)
    }
    return(launch_elsewhere(profile, slots, remote, dots, tls, dry_run,
                            by_hand && !dry_run))
  }
  check_delivery(credential)
  commands <- vapply(seq_along(url), function(i) {
    slot <- match(url[i], profile$urls)
    command <- function(credential = NULL) {
      launch_command(url[i], launch_options(dots, profile), tls, credential,
                     remote$rscript)
    }
    if (!is_network(url[i]) || is.na(slot)) return(command())
    if (startsWith(credential, "@")) {
      path <- credential_path(credential)
      if (length(url) > 1L) path <- paste0(path, ".", i)
      credential_of(profile, slot, absolute_path(path))
      return(command(paste0("@", path)))
    }
    paste0(command(credential),
           here_document(credential_of(profile, slot), credential))
  }, "")
  structure(commands, class = "miraiLaunchCmd")
}

# Daemons for a dispatcher that is not ours: the command is run as it stands,
# and what becomes of it nobody here can know.
launch_unknown <- function(url, remote, options, tls, dry) {
  if (identical(remote$options$tunnel, "1")) {
    stop("a tunnel needs daemons that are set here: call daemons(url =) first",
         call. = FALSE)
  }
  vectors <- if (is.list(remote$args)) remote$args else list(remote$args)
  count <- max(length(url), length(vectors))
  if (!all(c(length(url), length(vectors)) %in% c(1L, count))) {
    stop("'args' and/or 'url' must be of length 1 or the same length",
         call. = FALSE)
  }
  commands <- unlist(Map(function(each, args) {
    word <- launch_command(each, launch_options(options, NULL), tls, NULL,
                           remote$rscript)
    if (is.null(remote$options$quote)) word <- double_quoted(word)
    paste(c(remote$command, ifelse(args == ".", word, args)), collapse = " ")
  }, rep_len(url, count), rep_len(vectors, count)), use.names = FALSE)
  if (!dry) {
    if (any(is_network(url))) {
      warning("no daemons are set here at ", url[is_network(url)][1L], ": ",
              "what was launched has no credential, and is let in only by ",
              "whoever asks for none", call. = FALSE)
    }
    for (each in commands) {
      .Call(tk_launch, c("/bin/sh", "-c", each), daemon_environment(), FALSE,
            "")
    }
  }
  structure(commands, class = "miraiLaunchCmd")
}

launch_command <- function(url, options, tls, credential, rscript) {
  paste0(rscript, " -e ",
         double_quoted(daemon_call(url, options, tls, credential)))
}

check_delivery <- function(credential) {
  if (credential %in% c("fd:3", "stdin")) return()
  credential_path(credential)
}

# What scripts put behind a command, such as the " &" of system(wait = FALSE), must
# not come to the last line of the document, which would then have no end. csh, for
# which the form on standard input is, knows no command that goes on below.
here_document <- function(line, credential) {
  if (credential == "stdin") return(paste0(" <<TENKAI\n", line, "\nTENKAI"))
  paste0(" 3<<'TENKAI' &&\n", line, "\nTENKAI\ntrue")
}

# One line, which lets a daemon in at this slot. With a file the dispatcher writes
# it there, where nobody else can read or exchange it, and nothing comes here.
# `once`: it is good for one daemon, also where others are good for many.
credential_of <- function(profile, slot, file = NULL, once = FALSE) {
  asked <- if (once) list(slots = whole(slot), uses = "1") else list(file = file)
  line <- ask(profile$link, "credential", lines_of(asked), slot = slot)
  if (is_error_value(line)) {
    stop(reason_of(line), call. = FALSE)
  }
  line
}

# What an R elsewhere evaluates to be a daemon, where no shell hands it a credential,
# as in a job that is asked for over HTTP: for each slot an expression that holds it.
# Others may see it there, so it is good for one daemon, once.
daemon_expressions <- function(slots, ..., tls = NULL, .compute = NULL) {
  profile <- profile_of(.compute)
  dots <- daemon_options(...)
  vapply(slots, function(slot) {
    url <- launch_urls(slot, profile)
    options <- launch_options(dots, profile)
    if (!is_network(url)) return(daemon_call(url, options, tls))
    line <- credential_of(profile, slot, once = TRUE)
    credential <- sprintf("tenkai:::in_file('%s')", line)
    daemon_call(url, c(list(credential = credential), options), tls)
  }, "")
}

# There: a file that goes with this R.
in_file <- function(line) {
  before <- Sys.umask("077")
  on.exit(Sys.umask(before))
  path <- tempfile("tenkai-")
  writeLines(line, path)
  paste0("@", path)
}

#' @export
print.miraiLaunchCmd <- function(x, ...) {
  for (i in seq_along(x)) {
    cat("[", i, "]\n", unclass(x)[[i]], "\n\n", sep = "")
  }
  invisible(x)
}

# What shows the variables of a session, or logs them, shows no credential.
#' @rawNamespace S3method(utils::str, miraiLaunchCmd)
str.miraiLaunchCmd <- function(object, ...) {
  cat(" ", length(object), " launch command",
      if (length(object) != 1L) "s", "; print() shows all of it\n", sep = "")
}

#' A new URL for a daemon
#'
#' Gives a slot of the dispatcher a new, random URL, at which another daemon can
#' connect; the old one is void, and with it the credential that
#' [launch_remote()] has printed for it.
#'
#' @param i the number of the slot, as [status()] shows it.
#' @param force `TRUE`: also where a daemon is connected. What it runs resolves
#'   to an error value 7.
#' @param .compute the compute profile, see [daemons()]. `NULL`: the current one,
#'   see [with_daemons()].
#' @return The new URL; or `NULL` if there is no such slot or no dispatcher, if
#'   a daemon is connected there and `force` is `FALSE`, and for `tcp://`, where
#'   a URL has no room for anything random.
#' @examples
#' daemons(1)
#' saisei(1, force = TRUE)
#' status()
#' daemons(0)
#' @export
saisei <- function(i, force = FALSE, .compute = NULL) {
  profile <- profile_of(.compute)
  if (is.null(profile) || profile$one_url || is_here(profile)) return()
  check_number(i, "i", minimum = -Inf)
  i <- as.integer(i)
  if (is.na(i) || i < 1L || i > length(profile$urls)) return()
  reply <- ask(profile$link, "saisei", slot = i, kind = as.integer(force))
  if (is_error_value(reply)) {
    stop(reason_of(reply), call. = FALSE)
  }
  if (!nzchar(reply)) return()
  profile$urls[i] <- reply
  reply
}

# --- the call that a daemon's Rscript evaluates ---

# What the Rscript of a daemon evaluates: tenkai::daemon('URL',...). `options` are
# texts; `local`: on this machine, with the libraries of this session.
daemon_call <- function(url, options, tls = NULL, credential = NULL,
                        local = FALSE) {
  .Call(tk_daemon_call, url, as.character(credential), as.character(tls),
        as.character(names(options)), as.character(options), local)
}

# One word of a shell, in double quotes.
double_quoted <- function(text) {
  paste0("\"", gsub("([\\\\\"$`])", "\\\\\\1", text), "\"")
}

launch_urls <- function(url, profile) {
  if (is.numeric(url)) {
    if (is.null(profile)) {
      stop("a numeric value for 'url' requires daemons to be set",
           call. = FALSE)
    }
    if (anyNA(url) || any(url < 1 | url > length(profile$urls))) {
      stop("numeric value for 'url' is out of bounds", call. = FALSE)
    }
    return(profile$urls[url])
  }
  if (!is.character(url) || !length(url) || anyNA(url)) {
    stop("3 | Invalid argument: 'url' must be URLs such as ",
         "tcp://127.0.0.1:5555, not ", describe(url), call. = FALSE)
  }
  is_network(url)
  url
}

# The arguments of one daemon as texts: those of this call, those of daemons(), and
# the next stream of random numbers.
launch_options <- function(dots, profile) {
  options <- lapply(dots, value_text)
  if (is.null(profile)) return(options)
  rest <- profile$options[setdiff(names(profile$options), names(dots))]
  c(options, rest, list(rs = paste0("c(", take_stream(profile), ")")))
}
