#' Random number streams
#'
#' Each daemon of a profile draws from an L'Ecuyer-CMRG stream of its own.
#' `nextstream()` returns the next one and advances the profile.
#'
#' @param .compute the compute profile, see [daemons()]. `NULL`: the current one,
#'   see [with_daemons()].
#' @return The stream, a `.Random.seed` of 7 integers; `NULL` if no daemons are
#'   set for the profile. An error where its dispatcher, which has the streams, has
#'   ended.
#' @examples
#' daemons(1, seed = 42)
#' nextstream()
#' daemons(0)
#' @export
nextstream <- function(.compute = NULL) {
  profile <- profile_of(.compute)
  if (is.null(profile)) return()
  if (is_here(profile)) return(next_stream_here(profile))
  of_tasks <- .Call(tk_take_stream, profile$link)
  if (!is.null(of_tasks)) return(of_tasks)
  as.integer(strsplit(take_stream(profile), ",", fixed = TRUE)[[1L]])
}

# As text, "10407,...". The dispatcher has the streams, because it starts daemons.
take_stream <- function(profile) {
  stream <- ask(profile$link, "stream")
  if (is_error_value(stream)) stop(reason_of(stream), call. = FALSE)
  stream
}

# With a seed tasks have the streams from the seed on, and daemons, which need some for
# what is no task, those far behind.
seed_tasks <- function(link, stream) .Call(tk_seed_tasks, link, stream)
stream_of_daemons <- function(stream) .Call(tk_stream_after, stream, 2^48)

# What set.seed() takes.
check_seed <- function(seed) {
  ok <- (is.numeric(seed) || is.logical(seed)) && length(seed) == 1L &&
    !is.na(seed) && abs(seed) <= .Machine$integer.max
  if (ok) return()
  stop("'seed' must be an integer, from -(2^31 - 1) to 2^31 - 1, not ",
       describe(seed), call. = FALSE)
}

# The stream a profile starts with. The session's generator makes one draw, so
# that two profiles differ, and is otherwise left as it was.
first_stream <- function(seed) {
  if (!is.null(seed)) check_seed(seed)
  .Call(tk_draw)
  global <- globalenv()
  before <- get(".Random.seed", envir = global, inherits = FALSE)
  on.exit(assign(".Random.seed", before, envir = global))
  RNGkind("L'Ecuyer-CMRG")
  if (!is.null(seed)) set.seed(seed)
  get(".Random.seed", envir = global, inherits = FALSE)
}
