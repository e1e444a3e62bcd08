#' Launches that have failed
#'
#' A launch whose daemons do not come is told as a message, of the class
#' `tenkai_launch_error`, when the session next looks at its daemons, and is shown by
#' [status()]. So is one of which some have come and others do not, or are not started
#' again: its `state` is `"joined"`.
#'
#' @name tenkai_launch_error
#' @details
#' The condition has these fields, all of the first launch it is about: `launch`, its
#' number; `daemons`, their numbers; `by`, the plugin; `where`, the host or node;
#' `state`, such as `"failed"`; `cause`, one word; `detail`, a sentence; `job`, the
#' identifier of the job; `reason`, the batch system's own word, such as
#' `"OUT_OF_MEMORY"`; `exit_code` and `signal`, integers, `NA` where there is none;
#' `log`, the last lines that were written. `launches` is a data frame with all of
#' them, at most 20.
#' @examples
#' # Act on a failure while waiting for results:
#' withCallingHandlers(
#'   status(),
#'   tenkai_launch_error = function(condition) {
#'     if (condition$cause == "oom") cat("more memory, please\n")
#'   }
#' )
NULL

launch_condition <- function(text, lines) {
  launches <- launch_table(rows_of(lines))
  first <- as.list(launches[1L, ])
  structure(
    class = c("tenkai_launch_error", "message", "condition"),
    c(list(message = paste0("tenkai: ", harmless(text), "\n"), call = NULL),
      first[names(first) != "message"], list(detail = first$message),
      list(launches = launches))
  )
}
