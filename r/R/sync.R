# daemons(sync = TRUE): tasks are evaluated in this session, as a daemon would.

set_here <- function(name, asked, told, options, seed, safe) {
  made <- new_profile(asked)
  made$n <- 1L
  made$safe <- safe
  made$cleanup <- cleanup_parts(told$cleanup %||% TRUE)
  made$task_options <- options
  made$next_stream <- made$stream <- first_stream(seed)
  made$seeded <- !is.null(seed)
  made$running <- made$done <- 0L
  keep_profile(name, made, 1L)
}

mirai_here <- function(name, expr, globals, args) {
  evaluated_here(profile_of(name), expr, globals, args)
}

# The mirai of a task, which has resolved.
evaluated_here <- function(profile, expr, globals, args, everywhere = FALSE) {
  begin_here(profile, everywhere)
  on.exit(end_here(profile))
  cleans <- !everywhere && profile$cleanup %% 2 == 1
  if (cleans) {
    hidden <- hidden_by(names(globals))
    on.exit(list2env(hidden, globalenv()), add = TRUE, after = FALSE)
  }
  parcel <- c(list(expr, globals, args), if (profile$safe) TRUE)
  .Call(tk_here, evaluation_functions(), parcel, everywhere, profile$cleanup,
        profile$hooks)
}

# With a seed each task has random numbers of its own. Else, and a task within a task
# of the same profile, it goes on with those that were there.
begin_here <- function(profile, everywhere) {
  found$here <- (found$here %||% 0L) + 1L
  profile$running <- profile$running + 1L
  if (profile$running > 1L) return()
  profile$session_options <- base::options(profile$task_options)
  profile$session_stream <- current_stream()
  if (profile$seeded && !everywhere) profile$stream <- next_stream_here(profile)
  set_stream(profile$stream)
}

end_here <- function(profile) {
  found$here <- found$here - 1L
  profile$running <- profile$running - 1L
  profile$done <- profile$done + 1L
  if (profile$running > 0L) return()
  profile$stream <- current_stream()
  set_stream(profile$session_stream)
  base::options(profile$session_options)
}

current_stream <- function() {
  get0(".Random.seed", envir = globalenv(), inherits = FALSE)
}

set_stream <- function(stream) {
  if (!is.null(stream)) {
    assign(".Random.seed", stream, envir = globalenv())
  } else if (exists(".Random.seed", globalenv(), inherits = FALSE)) {
    rm(".Random.seed", envir = globalenv())
  }
}

# The objects of the session that others of these names take the place of; what is
# locked keeps its place, and what is active is no object.
hidden_by <- function(names) {
  hides <- vapply(names, function(name) {
    exists(name, envir = globalenv(), inherits = FALSE) &&
      !bindingIsLocked(name, globalenv()) &&
      !bindingIsActive(name, globalenv())
  }, NA)
  mget(as.character(names[hides]), envir = globalenv())
}

next_stream_here <- function(profile) {
  stream <- profile$next_stream
  profile$next_stream <- parallel::nextRNGStream(stream)
  if (profile$seeded) stream else profile$next_stream
}

# --- what is told of it ---

status_here <- function(profile) {
  done <- as.character(profile$done)
  all <- as.character(profile$done + profile$running)
  new_status(1L, daemon_matrix(list(c("sync", "1", "1", all, done))),
             if (profile$running) "busy" else "idle")
}

counts_here <- function(profile) {
  c(online = 1, joined = 1, waiting = 0, running = profile$running,
    done = profile$done)
}

check_elsewhere <- function(profile) {
  if (!is_here(profile)) return()
  stop("daemons(sync = TRUE) evaluates here, and has no place for a daemon: ",
       "call daemons(0), and then daemons() without 'sync'", call. = FALSE)
}
