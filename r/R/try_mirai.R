#' @details
#' `try_mirai()` is [mirai()] where the session must not wait: `NULL` in place of a
#' mirai says that the task does not fit beside those that wait for an answer, and
#' was not taken. Try again when some of them have resolved.
#'
#' @rdname mirai
#' @export
try_mirai <- function(.expr, ..., .args = list(), .timeout = NULL,
                      .time_request = NULL, .compute = NULL, .relay = NULL) {
  if (missing(.expr)) stop("missing expression, perhaps wrap in {}?")
  expr <- expression_of(substitute(.expr), parent.frame())
  globals <- if (...length()) named_objects(list(...), "...") else list()
  args <- if (length(.args)) named_objects(.args, ".args") else list()
  if (!is.null(.timeout)) check_number(.timeout, ".timeout")
  if (!is.null(.time_request)) check_number(.time_request, ".time_request")
  asked <- relay_of(.relay, ".relay")
  taker <- taker_for(.compute)
  link <- taker$link
  if (is.null(link)) return(mirai_here(.compute, expr, globals, args))
  relay <- if (is.null(.relay)) taker$relay else asked
  made <- .Call(tk_try_submit, link, expr, globals, args, .timeout,
                .time_request, relay) %||%
    .Call(tk_try_submit, own_link(.compute), expr, globals, args, .timeout,
          .time_request, relay)
  if (!is_mirai(made)) return()
  if (is.null(relay)) made else keep_output(made)
}
