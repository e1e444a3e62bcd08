#' How to launch daemons on other machines
#'
#' `ssh_config()` describes launching by SSH, `remote_config()` by any command.
#' The description is for the argument `remote` of [daemons()] and
#' [launch_remote()].
#'
#' @param remotes the machines, as `"ssh://user@host:port"`. User and port may
#'   be left out, the host may be one that `~/.ssh/config` describes. One: all
#'   daemons are launched there. More: one for each URL, in their order; the
#'   same may come again.
#' @param timeout seconds after which connecting is given up.
#' @param tunnel `TRUE`: the daemons reach this machine through the SSH
#'   connection, so it need not be reachable from there. The URLs of [daemons()]
#'   must then have the host `127.0.0.1` or `localhost`; the same port is opened
#'   on the other machine, for itself alone.
#' @param command for `ssh_config()`: an SSH client to use, such as `"ssh"`. Left
#'   out, tenkai connects by itself, and uses `ssh` for what it cannot do:
#'   RSA keys, jump hosts, Kerberos, hardware tokens. For `remote_config()`: the
#'   command that launches; `NULL`: none, [launch_remote()] prints what to run.
#' @param args for `remote_config()`: the arguments of `command`, where the
#'   element `"."` stands for the command that starts a daemon. They are read by a
#'   shell, so one element may hold several words. A list of such vectors: one for
#'   each URL.
#' @param rscript the program that runs R there.
#' @param config for `ssh_config()`: a file to read instead of `~/.ssh/config`.
#'   `NULL`: the one that the environment variable `TENKAI_SSH_CONFIG` names, if
#'   it does.
#' @param quote for `remote_config()`: whether the command of the daemon is one
#'   quoted word, as `ssh` needs it; `FALSE` for commands like `srun` that take
#'   words.
#' @param credential for `remote_config()`: how the daemon gets what lets it in:
#'   `"stdin"`, through the standard input of `command`, or `"file"`, in a file in
#'   `~/.cache/tenkai` that must be there on the other machine, too. `NULL`:
#'   `"stdin"` for `ssh`, else `"file"`.
#' @return A list.
#' @details
#' The known hosts of SSH are checked: a host whose key is not known is not
#' connected to. Log in once by hand, and it is.
#'
#' Daemons that are launched on one machine by SSH share one connection and one
#' program `tenkai agent`, which starts R again if it dies.
#' @examples
#' ssh_config("ssh://me@10.75.32.90:222", timeout = 5)
#' remote_config("srun", c("--mem 512", "-n 1", "."), quote = FALSE)
#'
#' \dontrun{
#' daemons(n = 4, url = host_url(tls = TRUE),
#'         remote = ssh_config("ssh://10.75.32.90"))
#' daemons(url = "tcp://localhost:5555",
#'         remote = ssh_config(c("ssh://node1", "ssh://node2"), tunnel = TRUE))
#' }
#' @export
ssh_config <- function(remotes, timeout = 10, tunnel = FALSE, command = "ssh",
                       rscript = "Rscript", config = NULL) {
  check_remotes(remotes)
  check_number(timeout, "timeout", minimum = 1)
  check_flag(tunnel, "tunnel")
  check_string(command, "command")
  check_string(rscript, "rscript")
  if (is.null(config) && nzchar(Sys.getenv("TENKAI_SSH_CONFIG"))) {
    config <- Sys.getenv("TENKAI_SSH_CONFIG")
  }
  if (!is.null(config)) check_string(config, "config")
  args <- lapply(sub("^ssh://", "", remotes), function(remote) {
    port <- sub("^.*:([0-9]+)$", "\\1", remote)
    if (identical(port, remote)) port <- "22"
    c(sprintf("-o ConnectTimeout=%s -Tp %s", whole(timeout), port),
      sub(":[0-9]+$", "", remote), ".")
  })
  list(
    command = command, args = args, rscript = rscript,
    plugin = "ssh",
    options = list(
      timeout = whole(timeout),
      tunnel = if (tunnel) "1",
      client = if (!missing(command)) command,
      config = if (!is.null(config)) {
        normalizePath(config, mustWork = FALSE)
      }
    ),
    each = lapply(remotes, function(remote) list(remote = remote))
  )
}

#' @rdname ssh_config
#' @export
remote_config <- function(command = NULL, args = c("", "."),
                          rscript = "Rscript", quote = TRUE,
                          credential = NULL) {
  vectors <- if (is.list(args)) args else list(args)
  has_place <- vapply(vectors, function(each) {
    is.character(each) && !anyNA(each) && "." %in% each
  }, NA)
  if (!length(vectors) || !all(has_place)) {
    stop("'.' must be an element of the character vector(s) supplied to ",
         "'args'", call. = FALSE)
  }
  check_string(rscript, "rscript")
  if (is.null(command)) {
    return(list(command = NULL, args = args, rscript = rscript))
  }
  check_string(command, "command")
  check_flag(quote, "quote")
  if (is.null(credential)) {
    by_ssh <- basename(strsplit(command, " ", fixed = TRUE)[[1L]][1L]) == "ssh"
    credential <- if (by_ssh) "stdin" else "file"
  }
  if (!identical(credential, "stdin") && !identical(credential, "file")) {
    stop("'credential' must be \"stdin\" or \"file\", not ",
         describe(credential), call. = FALSE)
  }
  list(
    command = command, args = args, rscript = rscript,
    plugin = "command", form = "daemon", credential = credential,
    options = list(program = command, quote = if (!quote) "0"),
    each = lapply(vectors, function(each) list(args = each))
  )
}

check_remotes <- function(remotes) {
  ok <- is.character(remotes) && length(remotes) && !anyNA(remotes) &&
    all(grepl("^(ssh://)?[^][:space:]/'\"\\\\$`-][^][:space:]/'\"\\\\$`]*(\\[[0-9A-Fa-f:.]+\\](:[0-9]+)?)?$",
              remotes) |
          grepl("^(ssh://)?\\[[0-9A-Fa-f:.%a-z0-9]+\\](:[0-9]+)?$", remotes))
  if (ok) return()
  stop("'remotes' must be machines such as \"ssh://user@host:22\", not ",
       if (is.character(remotes)) paste(deparse(remotes), collapse = " ") else
         describe(remotes), call. = FALSE)
}

# --- asking the dispatcher to launch ---

is_remote <- function(remote) {
  is.list(remote) && is.character(remote$rscript) &&
    (is.null(remote$command) || is.character(remote$plugin))
}

check_remote <- function(remote) {
  if (is_remote(remote)) return()
  stop("'remote' must come from ssh_config(), slurm_config(), mpi_config(), ",
       "remote_config() or profile(), not be ", describe(remote), call. = FALSE)
}

# How many daemons a configuration is for by itself; 1 where it says the same for
# all.
remote_count <- function(remote) max(1L, length(remote$each))

# The request for the daemons at some slots of a profile; its lines. `later`: those
# at the spare slots of the profile are launched when they are needed; with
# `scale` no others are.
launch_plan <- function(profile, slots, remote, dots, tls, name, dry,
                        by_hand = FALSE, later = FALSE) {
  each <- if (length(remote$each)) remote$each else list(list())
  count <- max(length(slots), length(each))
  if (!length(slots) %in% c(1L, count) || !length(each) %in% c(1L, count)) {
    stop("'args' and/or 'url' must be of length 1 or the same length",
         call. = FALSE)
  }
  slots <- rep_len(slots, count)
  each <- rep_len(each, count)
  agent <- !identical(remote$form, "daemon")
  here <- profile$urls[slots[!is_network(profile$urls[slots])]]
  if (agent && length(here)) {
    stop("a daemon on another machine cannot reach '", here[1L], "': give ",
         "daemons() a network URL, such as that of host_url()", call. = FALSE)
  }
  # What is the same, on one machine, is launched together.
  group <- if (agent) match(each, unique(each)) else seq_len(count)
  autoexit <- dots$autoexit %||% profile$options$autoexit
  output <- dots$output %||% profile$options$output
  line <- function(key, value) {
    if (length(value)) paste0(key, "=", value)
  }
  calls <- function(slots) {
    unlist(lapply(slots, function(slot) {
      c(paste0("slot=", slot),
        line("call", launch_call(profile, slot, dots, tls, agent, dry)))
    }))
  }
  options <- function(values) {
    unlist(lapply(names(values), function(key) {
      line("option", if (length(values[[key]])) paste0(key, "=", values[[key]]))
    }))
  }
  c(
    line("plugin", remote$plugin),
    line("rscript", remote$rscript),
    line("profile", name),
    line("credential", remote$credential %||% "stdin"),
    line("form", if (agent) "agent" else "daemon"),
    line("chunk", remote$chunk),
    if (dry) "dry=1",
    if (by_hand) "by_hand=1",
    if (!is.null(autoexit)) line("autoexit", autoexit_word(autoexit)),
    if (agent) line("tls", tls),
    if (isTRUE(as.logical(output))) "output=1",
    options(remote$options),
    if (!later || is.null(profile$scale)) {
      unlist(lapply(unique(group), function(one) {
        members <- which(group == one)
        c("launch=", calls(slots[members]), options(each[[members[1L]]]))
      }))
    },
    if (later && profile$spare > 0) {
      spare <- tail_of(seq_along(profile$urls), profile$spare)
      c(scale_line(profile$scale), "spare=",
        calls(if (is.null(profile$scale)) spare else c(slots, spare)))
    }
  )
}

tail_of <- function(x, n) x[seq(to = length(x), length.out = n)]

scale_line <- function(scale) {
  if (is.null(scale)) return()
  paste0("scale=", paste(vapply(scale, number_text, ""), collapse = ","))
}

# How many slots a profile has beyond those of its daemons. With `scale` one for
# each: a job is replaced before it ends. For larger daemons one in four.
spare_slots <- function(n, deployment, remote) {
  if (is.null(deployment) || is.null(remote) || is_within_allocation(remote)) {
    return(0L)
  }
  chunk <- if (is.null(deployment$scale)) 1L else deployment$scale$chunk
  whole_units <- function(slots) as.integer(ceiling(slots / chunk) * chunk)
  larger <- if (grepl("=x", deployment$retries %||% "", fixed = TRUE)) {
    whole_units(max(1L, n %/% 4L))
  } else {
    0L
  }
  if (is.null(deployment$scale)) return(larger)
  2L * whole_units(n) - n + larger
}

# What the R of one daemon evaluates.
launch_call <- function(profile, slot, dots, tls, agent, dry) {
  options <- launch_options(dots, profile, peek = dry)
  if (agent) return(daemon_call("fd:3", options, quote = "'"))
  secret <- is_network(profile$urls[slot])
  options <- c(if (secret) list(credential = "@CREDENTIAL@"),
               if (!is.null(tls)) list(tls = tls), options)
  daemon_call("@URL@", options, quote = "'")
}

launch_elsewhere <- function(profile, slots, remote, dots, tls, name, dry,
                             by_hand = FALSE, later = FALSE) {
  check_cap(remote, length(slots))
  dots <- with_limits(dots, remote$limits[setdiff(names(remote$limits),
                                                  names(profile$options))])
  if (isTRUE(remote$options$tunnel == "1")) check_tunnel(profile$urls[slots])
  # Where there is a log for it, what daemons write is wanted.
  if (length(remote$options[["slurm.logs"]]) &&
      is.null(dots$output) && is.null(profile$options$output)) {
    dots$output <- TRUE
  }
  plan <- launch_plan(profile, slots, remote, dots, tls, name, dry, by_hand,
                      later)
  reply <- ask(profile$link, "launch_remote", lines_of(plan), limit = 15000)
  if (is_error_value(reply)) {
    stop(reason_of(reply), call. = FALSE)
  }
  fields <- strsplit(strsplit(reply, "\n", fixed = TRUE)[[1L]], "\t", TRUE)
  structure(
    vapply(fields, function(each) unescape_line(each[2L]), ""),
    class = "miraiLaunchCmd",
    launch = as.integer(vapply(fields, `[`, "", 1L))
  )
}

check_tunnel <- function(urls) {
  if (all(grepl("^[a-z+]+://(127\\.0\\.0\\.1|localhost):", urls))) return()
  stop("SSH tunnelling requires 'url' hostname to be '127.0.0.1' or ",
       "'localhost'", call. = FALSE)
}

# A value within a line, and back: see base/text.h.
escape_line <- function(text) {
  text <- enc2utf8(text)
  for (i in seq_along(line_escapes)) {
    text <- gsub(line_escapes[i], names(line_escapes)[i], text, fixed = TRUE,
                 useBytes = TRUE)
  }
  Encoding(text) <- "UTF-8"
  text
}

unescape_line <- function(text) {
  for (i in rev(seq_along(line_escapes))) {
    text <- gsub(names(line_escapes)[i], line_escapes[i], text, fixed = TRUE,
                 useBytes = TRUE)
  }
  Encoding(text) <- "UTF-8"
  text
}

line_escapes <- c("%25" = "%", "%0A" = "\n", "%0D" = "\r", "%09" = "\t")

# The launches of a profile, from the lines of its status.
launch_table <- function(fields) {
  if (!length(fields)) return()
  column <- function(i) {
    unescape_line(vapply(fields, function(row) {
      if (length(row) >= i) row[i] else ""
    }, ""))
  }
  number <- function(i) suppressWarnings(as.integer(column(i)))
  data.frame(launch = number(2L), daemons = column(3L),
             by = column(4L), where = column(5L), state = column(6L),
             cause = column(7L), message = column(8L), job = column(9L),
             reason = column(10L), exit_code = number(11L),
             signal = number(12L), log = column(13L))
}

#' Several daemons on one machine
#'
#' Replaces the current R process by the program `tenkai agent`, which dials a
#' dispatcher once and starts daemons of its own: R processes, which it starts
#' again if they die, and whose ends it can explain. It is what the commands of
#' [ssh_config()] run on the other machine.
#'
#' @param url the URL to dial.
#' @param daemons how many daemons to start.
#' @param credential where the credential is found, and with it what each
#'   daemon evaluates: `"stdin"`, `"fd:3"`, or `"@path"`, see [daemon()].
#' @param ... not used.
#' @param tls,autoexit,output as for [daemon()].
#' @return Does not return.
#' @examples
#' # Launchers write this call:
#' remote <- ssh_config("ssh://10.75.32.90")
#' @export
agent <- function(url, daemons = 1, credential = "stdin", ..., tls = NULL,
                  autoexit = TRUE, output = FALSE) {
  check_string(url, "url")
  check_number(daemons, "daemons", minimum = 1)
  if (interactive()) {
    stop("an agent takes the place of its R process: run it by ",
         "Rscript -e \"tenkai::agent(...)\"", call. = FALSE)
  }
  program <- find_program()
  check_version(program)
  argv <- c(program, "agent", "--manifest",
            "--credential", check_source(credential),
            "--url", url, "--daemons", whole(daemons), "--rscript", rscript(),
            "--autoexit", autoexit_word(autoexit),
            if (isTRUE(output)) "--output",
            if (!is.null(tls)) c("--tls", trusted_file(tls)))
  # Nobody else would: what follows is not R.
  if (is.null(tls)) unlink(tempdir(), recursive = TRUE)
  .Call(tk_replace, argv, -1L)
}
