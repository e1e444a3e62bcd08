#' The state of the daemons
#'
#' @param .compute the compute profile, see [daemons()], or a cluster of
#'   [make_cluster()]. `NULL`: the current profile, see [with_daemons()].
#' @return A list. `connections` is 1 for a dispatcher, or, without one, the
#'   number of daemons that are connected. `daemons` is a matrix with a row for
#'   each URL: `i` its number; `online` whether a daemon is connected;
#'   `instance` how many have connected there so far, negative after [saisei()]
#'   until the next one; `assigned` and `complete` the tasks it was given and
#'   has answered. Without a dispatcher it is the URL, where no daemons are set
#'   `0L`, and an error value if the dispatcher does not answer. `memory`, where
#'   daemons are set, are bytes: `used`, what unresolved tasks and [everywhere()]
#'   hold at the dispatcher, `peak`, the most that it was, and `capacity`, the
#'   limit (`memory` of [daemons()]); it is not printed. The attribute
#'   `state` says of each daemon whether it is `"idle"`, `"busy"` or `"suspect"`
#'   (nothing was heard from it for 8 seconds, or its connection broke: it gets
#'   nothing new), or `""` where none is connected; printing names the suspect.
#'
#'   The attribute `launches` is a data frame with a row for each launch on other
#'   machines (see [launch_remote()]), or `NULL`: its number `launch`, the numbers
#'   of its `daemons`, the plugin it goes `by`, `where` to, its `state` (`asked`,
#'   `submitted`, `pending`, `starting`, `joined`, `failed`, `gone`), and, where it
#'   has failed, the `cause`, one word, and a `message`. The `job`, the batch
#'   system's `reason` (why a job waits, or how it ended), `exit_code`, `signal` and
#'   the end of the `log` are its evidence. Where jobs wait, `status()` has the batch
#'   system asked why, at most every 30 seconds; the next call shows the answer.
#'   Printing shows those that have failed, and what the others wait for.
#' @examples
#' status()
#' daemons(1)
#' status()$daemons
#' daemons(0)
#' @export
status <- function(.compute = NULL) {
  profile <- profile_of(name_of_profile(.compute))
  if (is.null(profile)) return(new_status(0L, 0L))
  if (is_here(profile)) return(status_here(profile))
  status <- status_of(profile)
  status$memory <- memory_of(counts_of(profile), profile$for_hooks)
  status
}

# The list of mirai 0.13.2.
status_of <- function(profile) {
  reply <- ask(profile$link, "status")
  if (is_error_value(reply)) return(new_status(0L, reply))
  rows <- rows_of(reply)
  online <- as.integer(rows[[1L]])
  fields <- rows[-1L]
  is_launch <- vapply(fields, `[`, "", 1L) == "launch"
  launches <- launch_table(fields[is_launch])
  fields <- fields[!is_launch]
  # The last field is empty where no daemon is, and strsplit() leaves it out.
  state <- vapply(fields, function(row) if (length(row) > 5L) row[6L] else "", "")
  if (profile$one_url) {
    return(new_status(online, profile$urls[1L], state, launches))
  }
  daemons <- daemon_matrix(fields)
  # Spare slots that were never needed are of no interest.
  last <- max(nrow(daemons) - profile$spare, which(daemons[, "instance"] != 0))
  new_status(1L, daemons[seq_len(last), , drop = FALSE], state[seq_len(last)],
             launches)
}

new_status <- function(connections, daemons, state = NULL, launches = NULL) {
  structure(list(connections = connections, daemons = daemons),
            class = "miraiStatus", state = state, launches = launches)
}

# Without the hooks, which are no task's.
memory_of <- function(counts, for_hooks) {
  used <- c(used = counts[["memory"]], peak = counts[["memory_peak"]])
  c(pmax(used - for_hooks, 0), capacity = counts[["memory_limit"]] - for_hooks)
}

# From fields url, online, instance, assigned, complete.
daemon_matrix <- function(fields) {
  number <- function(i) as.integer(vapply(fields, `[`, "", i))
  matrix(
    c(seq_along(fields), number(2L), number(3L), number(4L), number(5L)),
    ncol = 5L,
    dimnames = list(
      vapply(fields, `[`, "", 1L),
      c("i", "online", "instance", "assigned", "complete")
    )
  )
}

#' @export
print.miraiStatus <- function(x, ...) {
  state <- attr(x, "state", exact = TRUE)
  plain <- unclass(x)
  attr(plain, "state") <- attr(plain, "launches") <- plain$memory <- NULL
  print(plain, ...)
  silent <- which(state == "suspect")
  if (length(silent)) {
    cat(daemons_in_words(silent), ": suspect, nothing is heard ",
        "from there; it gets nothing new until it is\n", sep = "")
  }
  print_waiting(attr(x, "launches", exact = TRUE))
  print_failed(attr(x, "launches", exact = TRUE), x$daemons)
  invisible(x)
}

# The texts of a table are from other machines.
shown <- function(column) {
  if (is.character(column)) harmless(column) else column
}

# "daemon 3", "daemons 1-3, 5"
daemons_in_words <- function(numbers) {
  runs <- split(numbers, cumsum(c(TRUE, diff(numbers) != 1L)))
  each <- vapply(runs, function(run) {
    paste(unique(range(run)), collapse = "-")
  }, "")
  paste0(if (length(numbers) == 1L) "daemon " else "daemons ",
         paste(each, collapse = ", "))
}

# Jobs that wait, by what for: an array may have a thousand of them.
print_waiting <- function(launches) {
  if (is.null(launches)) return()
  launches[] <- lapply(launches, shown)
  waiting <- launches[launches$state == "pending" & nzchar(launches$reason), ]
  for (each in split(waiting, list(waiting$by, waiting$reason), drop = TRUE)) {
    n <- nrow(each)
    cat(if (n == 1L) "launch " else paste(n, "launches, the first "),
        each$launch[1L], " (by ", each$by[1L], ", job ", each$job[1L],
        "): pending, ",
        each$reason[1L], "\n", sep = "")
  }
}

# Launches that have failed, and whose daemons have not come in another way.
print_failed <- function(launches, daemons) {
  if (is.null(launches)) return()
  launches[] <- lapply(launches, shown)
  # A launch that has come in part has joined, with a cause.
  failed <- launches[nzchar(launches$cause), ]
  if (is.matrix(daemons)) {
    missing <- vapply(strsplit(failed$daemons, ","), function(slots) {
      any(daemons[as.integer(slots), "online"] == 0)
    }, NA)
    failed <- failed[missing, ]
  }
  for (i in seq_len(nrow(failed))) {
    cat("launch ", failed$launch[i], " (",
        daemons_in_words(as.integer(strsplit(failed$daemons[i], ",")[[1L]])),
        ", by ", failed$by[i], if (nzchar(failed$where[i])) ", ", failed$where[i],
        "): ", failed$cause[i], "\n  ",
        gsub("\n", "\n  ", failed$message[i]), "\n", sep = "")
  }
}

#' What is known about a compute profile
#'
#' @param x `"n"`: how many daemons were set; `"pid"`: the process id of its
#'   dispatcher; `"urls"`: the URLs at which its daemons connect; `"url"`: the
#'   first of them; `"tls"`: the certificate, where there is one; `"policy"`: how its
#'   tasks find daemons, as `tenkai status --json` has it.
#' @param .compute the compute profile, see [daemons()]. `NULL`: the current one,
#'   see [with_daemons()].
#' @return The item; `NULL` if there is none, where no daemons are set, and for
#'   anything else, such as `"dispatcher"`, to which no URL leads.
#' @examples
#' daemons(1)
#' nextget("n")
#' nextget("pid")
#' nextget("urls")
#' daemons(0)
#' @export
nextget <- function(x, .compute = NULL) {
  check_string(x, "x")
  profile <- profile_of(.compute)
  if (is.null(profile)) return()
  if (is_here(profile)) return(if (x == "n") profile$n)
  switch(x, n = profile$n, pid = .Call(tk_pid, profile$link),
         urls = profile$urls, url = profile$urls[1L], policy = profile$policy,
         tls = certificate_of(profile), NULL)
}

# As mirai shows it: the certificate, and no key.
certificate_of <- function(profile) {
  certificate <- ask(profile$link, "certificate")
  if (!is_error_value(certificate) && nzchar(certificate)) c(certificate, "")
}
