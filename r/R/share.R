#' Data that many tasks have in common
#'
#' Puts the large vectors in an object where the processes of this machine can use the
#' same memory. Tasks that are given the object then have it without a copy.
#'
#' @param x any object. Vectors of numbers (logical, integer, double, complex, raw) of
#'   1 MiB or more are put into shared memory, also those in lists and data frames, at
#'   any depth; everything else is left as it is.
#'
#' @return The same object, to be used as before: as an argument of [mirai()] or
#'   [mirai_map()], or for anything else. If it holds no such vector, or the system has no
#'   shared memory to give, `x` itself.
#'
#' @details
#' Nothing has to be said for tasks that are submitted one after the other: a large vector
#' that is given to a task while an earlier one with the very same vector is not answered
#' is sent once. Its numbers are compared each time, so a vector that was changed in place
#' is sent anew. `share()` is for data that are needed again later, too: they stay in shared
#' memory until R has no more use for the object, and no task has. Where `x` itself is not
#' needed any more, as after `x <- share(x)`, they take no more memory than before.
#'
#' Who changes such a vector, here or in a task, changes a copy of its own, as always in R.
#' On another machine that has an agent they are sent once, and are there in memory once for all
#' its daemons.
#'
#' @seealso [mirai_map()], whose `.args` are sent once to each daemon.
#' @examples
#' daemons(2)
#' x <- share(runif(1e6))
#' m <- lapply(1:4, function(i) mirai(x[[i]], x = x, i = i))
#' identical(unlist(collect_mirai(m)), x[1:4])
#' daemons(0)
#' @export
share <- function(x) .Call(tk_share, x)
