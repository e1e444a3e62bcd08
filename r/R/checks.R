# Checks of arguments. Each names the argument and says what came.

check_string <- function(x, argument) {
  if (is.character(x) && length(x) == 1L && !is.na(x) && nzchar(x)) return()
  stop(sprintf("'%s' must be a single string, not %s", argument, describe(x)),
       call. = FALSE)
}

check_flag <- function(x, argument) {
  if (is.logical(x) && length(x) == 1L && !is.na(x)) return()
  stop(sprintf("'%s' must be TRUE or FALSE, not %s", argument, describe(x)),
       call. = FALSE)
}

check_number <- function(x, argument, minimum = 0) {
  if ((is.numeric(x) || is.logical(x)) && length(x) == 1L && !is.na(x) &&
      x >= minimum) {
    return()
  }
  stop(sprintf("'%s' must be a number of at least %s, not %s", argument,
               format(minimum), describe(x)), call. = FALSE)
}

describe <- function(x) {
  if (length(x) == 1L && is.atomic(x)) return(deparse(x)[1L])
  sprintf("an object of class '%s' and length %d", class(x)[1L], length(x))
}

