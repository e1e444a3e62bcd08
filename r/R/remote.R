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
#' @param bring whether tenkai is brought along to a machine that has none, or
#'   another version, see below.
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
#'
#' A machine needs nothing but R. Where the package or the program is missing, or
#' is of another version, the launch brings those of this session along, through
#' the connection that there is: into `~/.cache/tenkai/VERSION` there, once. The
#' package is copied where platform and R version are the same, and compiled there
#' otherwise. What cannot be brought is a launch that has failed with cause
#' `package_missing`, `program_missing` or `version`, and says why. `tenkai clean`
#' removes what was brought.
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
                       rscript = "Rscript", config = NULL, bring = TRUE) {
  check_remotes(remotes)
  check_number(timeout, "timeout", minimum = 1)
  check_flag(tunnel, "tunnel")
  check_string(command, "command")
  check_string(rscript, "rscript")
  check_flag(bring, "bring")
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
      bring = if (!bring) "0",
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
                          credential = NULL, bring = TRUE) {
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
  check_flag(bring, "bring")
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
    options = list(program = command, quote = if (!quote) "0",
                   bring = if (!bring) "0"),
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

# A configuration as the program reads it: fields of a deployment.
# One without a command says that others launch them.
configuration_of <- function(remote) {
  if (is.null(remote)) return()
  if (is.null(remote$command)) return(lines_of(list(rscript = remote$rscript)))
  lines_of(c(
    list(profile = remote$name, plugin = remote$plugin,
         rscript = remote$rscript, credential = remote$credential,
         form = remote$form, chunk = remote$chunk,
         most = if (!is.null(remote$most)) whole(remote$most),
         limit = pairs_of(remote$limits), option = pairs_of(remote$options)),
    unlist(lapply(unname(remote$each), function(one) {
      list(each = "", option = pairs_of(one))
    }), recursive = FALSE)
  ))
}

# Asks the dispatcher for daemons at some slots.
launch_elsewhere <- function(profile, slots, remote, dots, tls, dry,
                             by_hand = FALSE) {
  reply <- ask(profile$link, "launch_remote", lines_of(list(
    configuration = configuration_of(remote),
    slot = whole(slots),
    daemon = pairs_of(dots),
    tls = tls,
    dry = if (dry) "1",
    by_hand = if (by_hand) "1"
  )), limit = 15000)
  if (is_error_value(reply)) {
    stop(reason_of(reply), call. = FALSE)
  }
  rows <- rows_of(reply)
  structure(
    vapply(rows, `[`, "", 2L),
    class = "miraiLaunchCmd",
    launch = as.integer(vapply(rows, `[`, "", 1L))
  )
}

# The launches of a profile, from the lines of its status.
launch_table <- function(fields) {
  if (!length(fields)) return()
  column <- function(i) {
    vapply(fields, function(row) if (length(row) >= i) row[i] else "", "")
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
