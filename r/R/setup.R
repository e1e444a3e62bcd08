# What daemons() says to the dispatcher: the lines of SETUP (scheduler/setup).

policy_of <- function(dispatcher, open) {
  if (!isTRUE(dispatcher)) "direct" else if (open) "open" else "queue"
}

# Where daemons are, and how they get there.
place_settings <- function(made, n, name, url, remote, profile, told) {
  list(
    policy = made$policy,
    daemons = if (!is.null(n)) whole(n),
    profile = name,
    rscript = rscript(),
    url = if (made$one_url) url[1L] else url,
    deploy = profile,
    configuration = configuration_of(remote),
    local = if (is.null(url) && is.null(remote) && is.null(profile)) "1",
    daemon = pairs_of(told[names(told) != "token"]),
    token = if (isTRUE(as.logical(told$token)) && !made$one_url) "1"
  )
}

# The random numbers of daemons, apart from those of tasks where these have a seed.
stream_setting <- function(stream, seed) {
  paste(if (is.null(seed)) stream else stream_of_daemons(stream), collapse = ",")
}

# What is done where daemons die, are silent, disobey or do not come; `retries` as
# the dispatcher reads it.
endurance_settings <- function(retries, reconnect, kill_after, respawn,
                               patience) {
  list(
    retries = retries,
    reconnect_ms = milliseconds(reconnect, "reconnect"),
    kill_after_ms = milliseconds(kill_after, "kill_after"),
    respawn = if (!respawn) "0",
    patience_ms = if (!identical(patience, Inf)) {
      milliseconds(patience, "patience")
    }
  )
}

retry_setting <- function(retries) {
  if (!is.numeric(retries) || !length(retries) || anyNA(retries)) {
    stop("'retries' must be a number, by cause if named, such as c(2, oom = 1)",
         call. = FALSE)
  }
  numbers <- number_text(retries)
  named <- nzchar(names(retries) %||% rep("", length(retries)))
  paste(ifelse(named, paste0(names(retries), "=", numbers), numbers),
        collapse = ",")
}

milliseconds <- function(seconds, argument) {
  if (is.null(seconds)) return()
  check_number(seconds, argument)
  whole(min(1000 * seconds, 2^32 - 1))
}

memory_setting <- function(memory, for_hooks) {
  if (is.null(memory)) return()
  check_number(memory, "memory", minimum = 1)
  whole(min(memory + for_hooks, 2^62))
}
