#' Wait for the first of several mirais
#'
#' Waits until one of the mirais has resolved, whichever it is, and says which.
#' Ctrl-C ends the wait.
#'
#' @param x a list of mirais, which may be of several compute profiles, or a
#'   single one. Elements that are no mirai (also lists) are passed over.
#' @param .compute not used: the mirais themselves know their profiles.
#' @return The number of the first element of `x` that has resolved, an integer;
#'   `0L` if there is no mirai in `x`. One that had resolved before counts: take
#'   it out of the list, or put `NULL` in its place, before the next race.
#' @seealso [call_mirai()], [collect_mirai()]
#' @examples
#' daemons(2)
#' tasks <- list(mirai(Sys.sleep(5)), mirai("quick"))
#' i <- race_mirai(tasks)
#' i
#' tasks[[i]]$data
#' stop_mirai(tasks)
#' daemons(0)
#' @export
race_mirai <- function(x, .compute = NULL) {
  if (is_mirai(x)) x <- list(x)
  if (!is.list(x)) return(0L)
  .Call(tk_race, as.list(x))
}
