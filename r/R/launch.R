#' Launch daemons
#'
#' `launch_local()` starts a daemon on this machine; `launch_remote()` returns
#' the shell commands that start one on another machine, to be pasted there.
#'
#' @param url one or more URLs as strings, or the numbers of URLs of the
#'   profile, as [status()] shows them.
#' @param remote must be `NULL`: the commands are returned, not run.
#' @param ... further arguments of [daemon()], by name; they come before those
#'   that were given to [daemons()].
#' @param tls not used yet.
#' @param .compute the compute profile, see [daemons()].
#' @return `launch_local()`: invisible `NULL`. `launch_remote()`: the commands,
#'   which print ready to be copied.
#' @examples
#' daemons(url = "tcp://127.0.0.1:0", dispatcher = FALSE)
#' launch_local(1)
#' m <- mirai("from a launched daemon")
#' call_mirai(m)$data
#' launch_remote(1)
#' daemons(0)
#' @export
launch_local <- function(url, ..., tls = NULL, .compute = "default") {
  profile <- profile_of(.compute)
  url <- launch_urls(url, profile)
  dots <- daemon_options(...)
  output <- isTRUE(as.logical(dots$output))
  for (each in url) {
    options <- launch_options(dots, profile)
    slot <- match(each, profile$urls)
    call <- daemon_call(each, options, quote = '"')
    # The dispatcher ends what it has started, so a daemon that is to outlive
    # it is started on its own.
    alone <- is.na(slot) || output ||
      !identical(options$autoexit, profile$options$autoexit)
    if (alone) {
      .Call(tk_launch, c(rscript(), "-e", call), daemon_environment(), output)
    } else {
      reply <- ask(profile$link, "launch",
                   lines_of(paste0("slot=", slot), paste0("call=", call)))
      if (is_error_value(reply)) {
        stop(attr(reply, "message") %||% error_words(reply), call. = FALSE)
      }
    }
  }
  invisible()
}

#' @rdname launch_local
#' @export
launch_remote <- function(url, remote = NULL, ..., tls = NULL,
                          .compute = "default") {
  if (!is.null(remote)) {
    stop("'remote' must be NULL: the commands are returned, to be run by hand",
         call. = FALSE)
  }
  profile <- profile_of(.compute)
  url <- launch_urls(url, profile)
  dots <- daemon_options(...)
  commands <- vapply(url, function(each) {
    call <- daemon_call(each, launch_options(dots, profile), quote = "'")
    paste0("Rscript -e ", double_quoted(call))
  }, "", USE.NAMES = FALSE)
  structure(commands, class = "miraiLaunchCmd")
}

#' @export
print.miraiLaunchCmd <- function(x, ...) {
  for (i in seq_along(x)) {
    cat("[", i, "]\n", unclass(x)[[i]], "\n\n", sep = "")
  }
  invisible(x)
}

#' A new URL for a daemon
#'
#' Gives a slot of the dispatcher a new, random URL, at which another daemon can
#' connect; the old one is void.
#'
#' @param i the number of the slot, as [status()] shows it.
#' @param force `TRUE`: also where a daemon is connected. What it runs resolves
#'   to an error value 7.
#' @param .compute the compute profile, see [daemons()].
#' @return The new URL; or `NULL` if there is no such slot or no dispatcher, if
#'   a daemon is connected there and `force` is `FALSE`, and for `tcp://`, where
#'   a URL has no room for anything random.
#' @examples
#' daemons(1)
#' saisei(1, force = TRUE)
#' status()
#' daemons(0)
#' @export
saisei <- function(i, force = FALSE, .compute = "default") {
  profile <- profile_of(.compute)
  if (is.null(profile) || profile$direct) return()
  check_number(i, "i", minimum = -Inf)
  i <- as.integer(i)
  if (is.na(i) || i < 1L || i > length(profile$urls)) return()
  reply <- ask(profile$link, "saisei", slot = i, kind = as.integer(force))
  if (is_error_value(reply)) {
    stop(attr(reply, "message") %||% error_words(reply), call. = FALSE)
  }
  if (!nzchar(reply)) return()
  profile$urls[i] <- reply
  reply
}

# --- the call that a daemon's Rscript evaluates ---

# tenkai::daemon("URL",name=value,rs=c(...)). `quote` is the kind of quotation
# mark; a URL that could end it is refused long before.
daemon_call <- function(url, options, quote) {
  values <- vapply(options, function(value) {
    text <- format(value, digits = 15L, trim = TRUE, scientific = FALSE)
    if (length(text) == 1L) text else
      paste0("c(", paste(text, collapse = ","), ")")
  }, "")
  arguments <- if (length(options)) paste0(",", names(options), "=", values)
  paste0("tenkai::daemon(", quote, url, quote,
         paste(arguments, collapse = ""), ")")
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
  ok <- is.character(url) && length(url) && !anyNA(url) &&
    all(grepl("^(abstract|ipc|tcp|tls\\+tcp|ws|wss)://[^[:space:]'\"\\\\$`]+$",
              url))
  if (!ok) {
    stop("3 | Invalid argument: 'url' must be URLs such as ",
         "tcp://127.0.0.1:5555, not ", describe(url), call. = FALSE)
  }
  url
}

# The arguments of one daemon: those of this call, those of daemons(), and the
# next stream of random numbers.
launch_options <- function(dots, profile) {
  if (is.null(profile)) return(dots)
  rest <- profile$options[setdiff(names(profile$options), names(dots))]
  c(dots, rest, list(rs = take_stream(profile)))
}
