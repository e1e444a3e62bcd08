# The compute profile that `.compute = NULL` means: "default", or the one that a
# scope, with_daemons() and its kin, has made the current one.
current <- new.env(parent = emptyenv())
current$profile <- "default"

# The name behind an argument `.compute`.
compute_of <- function(name) {
  if (is.null(name)) return(current$profile)
  check_string(name, ".compute")
  name
}

make_current <- function(name) current$profile <- name

#' The current compute profile
#'
#' All functions with an argument `.compute` use the current compute profile
#' where it is not given: `"default"`, or, within one of these functions, the
#' one that is named. So code that knows of no profile, such as that of another
#' package, uses the daemons that you mean it to.
#'
#' Neither function sets or ends daemons. To set them for the time of an
#' expression, see [with.miraiDaemons()].
#'
#' @param .compute the name of a compute profile, see [daemons()]. It is an
#'   error if no daemons are set for it, unless it is `"default"`. `NULL`: the
#'   one that is current already.
#' @param expr an expression, during which the profile is the current one.
#' @param frame the frame of a function that runs, by default of the caller: the
#'   profile is the current one until that function ends. The global
#'   environment: until the session ends, or until another call there. As with
#'   all that is undone by [on.exit()], further calls of it in that function need
#'   `add = TRUE`.
#' @return `with_daemons()`: the value of `expr`. `local_daemons()`: invisible
#'   `NULL`.
#' @seealso [daemons()], [with.miraiDaemons()]
#' @examples
#' daemons(1, .compute = "side")
#' with_daemons("side", {
#'   m <- mirai(Sys.getpid())
#'   call_mirai(m)$data
#' })
#'
#' work <- function() {
#'   local_daemons("side")
#'   m <- mirai("done")
#'   call_mirai(m)$data
#' }
#' work()
#' daemons(0, .compute = "side")
#' @export
with_daemons <- function(.compute, expr) {
  before <- current$profile
  name <- settled_name(.compute)
  on.exit(make_current(before))
  make_current(name)
  expr
}

#' @rdname with_daemons
#' @export
local_daemons <- function(.compute, frame = parent.frame()) {
  before <- current$profile
  name <- settled_name(.compute)
  at_end_of(frame, as.call(list(make_current, before)))
  make_current(name)
  invisible()
}

#' Evaluate with daemons
#'
#' Evaluates an expression while daemons are set, and resets them afterwards.
#' Their compute profile is the current one meanwhile, as by [with_daemons()].
#'
#' @param data a call of [daemons()].
#' @param expr an expression.
#' @param ... not used.
#' @return The value of `expr`.
#' @examples
#' with(daemons(1), {
#'   m <- mirai(1 + 1)
#'   call_mirai(m)$data
#' })
#' @export
with.miraiDaemons <- function(data, expr, ...) {
  name <- class(data)[2L]
  before <- current$profile
  on.exit({
    make_current(before)
    daemons(0L, .compute = name)
  })
  make_current(name)
  expr
}

# A name by which daemons are set: under one that is mistyped each task would
# have a process of its own.
settled_name <- function(name) {
  name <- compute_of(name)
  if (name == "default" || name == current$profile) return(name)
  if (is.null(profile_of(name))) stop(not_set(name, NULL))
  name
}

# Has a call evaluated when the function of `frame` ends. The top level does not
# end: an on.exit() there would be that of source(), for each of its lines.
at_end_of <- function(frame, call) {
  if (identical(frame, globalenv())) return()
  if (!any(vapply(sys.frames(), identical, NA, frame))) {
    stop("'frame' must be the frame of a function that runs, not ",
         describe(frame), call. = FALSE)
  }
  do.call(on.exit, list(call, TRUE, FALSE), envir = frame)
}
