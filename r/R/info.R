# What code asks that uses daemons which somebody else has set.

#' How much there is to do
#'
#' @param .compute the compute profile, see [daemons()]. `NULL`: the current one,
#'   see [with_daemons()].
#' @return A named integer vector; `NULL` if no daemons are set.
#'   * `connections`: daemons that are connected;
#'   * `cumulative`: how many have connected so far, those that are gone included;
#'   * `awaiting`: tasks that wait for a daemon;
#'   * `executing`: tasks that a daemon has been given;
#'   * `completed`: tasks that have resolved, in whatever way.
#'
#'   `NA` stands for what is not known: where the dispatcher does not answer.
#' @seealso [status()] for each daemon by itself.
#' @examples
#' info()
#' daemons(1)
#' m <- mirai("done")
#' call_mirai(m)
#' info()
#' daemons(0)
#' @export
info <- function(.compute = NULL) {
  profile <- profile_of(.compute)
  if (is.null(profile)) return()
  counts <- counts_of(profile)
  c(connections = whole_count(counts[["online"]]),
    cumulative = whole_count(counts[["joined"]]),
    awaiting = whole_count(counts[["waiting"]]),
    executing = whole_count(counts[["running"]]),
    completed = whole_count(counts[["done"]]))
}

# What the dispatcher has counted, as numbers by their names in docs/protocol.md.
counts_of <- function(profile) {
  if (is_here(profile)) return(counts_here(profile))
  reply <- ask(profile$link, "info")
  known <- if (!is_error_value(reply)) fields_of(reply)
  vapply(all_counts, function(key) as.numeric(known[key] %||% NA), 0)
}

all_counts <- c("online", "joined", "waiting", "running", "done", "memory",
                "memory_peak", "memory_limit")

whole_count <- function(x) as.integer(min(x, .Machine$integer.max))

#' Ask for daemons
#'
#' For functions and packages that run mirais on whatever daemons their user has
#' set: whether there are any, and whether this code runs on one itself.
#'
#' @param .compute the compute profile, see [daemons()]. `NULL`: the current one,
#'   see [with_daemons()].
#' @param call what the error is said to come from: a call, `NULL`, or the frame
#'   of a function that runs, by default that of the caller.
#' @return `daemons_set()`: `TRUE` or `FALSE`. `require_daemons()`: invisible
#'   `TRUE`; where no daemons are set, an error of class `tenkai_no_daemons`,
#'   which says how to set them. `on_daemon()`: `TRUE` while a task is evaluated,
#'   on a daemon or by `daemons(sync = TRUE)`, else `FALSE`.
#' @examples
#' daemons_set()
#' daemons(1)
#' daemons_set()
#' total <- function(x) {
#'   require_daemons()
#'   m <- mirai(sum(x), x = x)
#'   call_mirai(m)$data
#' }
#' total(1:10)
#' m <- mirai(tenkai::on_daemon())
#' call_mirai(m)$data
#' on_daemon()
#' daemons(0)
#' try(total(1:10))
#' @export
daemons_set <- function(.compute = NULL) is_alive(profile_of(.compute))

#' @rdname daemons_set
#' @export
require_daemons <- function(.compute = NULL, call = parent.frame()) {
  if (daemons_set(.compute)) return(invisible(TRUE))
  stop(not_set(compute_of(.compute), frame_call(call)))
}

#' @rdname daemons_set
#' @export
on_daemon <- function() isTRUE(found$serves) || isTRUE(found$here > 0L)

# The call that has the frame `frame`, or what is a call already.
frame_call <- function(frame) {
  if (!is.environment(frame)) return(frame)
  at <- which(vapply(sys.frames(), identical, NA, frame))
  if (length(at)) sys.call(at[length(at)])
}

# The error that no daemons are set, or that those which are set are gone.
not_set <- function(name, call) {
  other <- if (name != "default") paste0(", .compute = \"", name, "\"")
  profile <- profile_of(name)
  what <- if (is.null(profile)) {
    paste0("no daemons are set for the compute profile '", name, "': ")
  } else {
    paste0("the compute profile '", name, "' has no daemons any more: ",
           reason_of(ask(profile$link, "info")), "; ")
  }
  structure(
    class = c("tenkai_no_daemons", "error", "condition"),
    list(message = paste0(what, "call daemons(n", other, ") first, such as ",
                          "daemons(4", other, ")"), call = call)
  )
}
