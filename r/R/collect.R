#' The values of mirais
#'
#' Waits for a mirai, or for all in a list, and returns the values. `m[]` is the
#' same as `collect_mirai(m)`.
#'
#' @param x a mirai, or a list of them, which may be nested. What is no mirai
#'   stays as it is.
#' @param options how a list is collected: a character vector of `".flat"`,
#'   `".stop"` and `".progress"`, or a list by these names, such as
#'   `list(.stop = TRUE, .progress = list(name = "fitting"))`. `NULL`: none.
#'   * `.flat`: the values as one vector. That all are of one type, and none is
#'     an error value, is checked.
#'   * `.stop`: the first error value (in the order of the list; of a map the
#'     first that is known) is an error here, at once, and all that has not
#'     resolved by then is stopped.
#'   * `.progress`: a bar on standard error, where that is a terminal: one of the
#'     package cli, if it is there, else a [utils::txtProgressBar()]. A string
#'     is its name; a list has arguments of [cli::cli_progress_bar()], of which
#'     the other bar knows `name` alone.
#' @param ... the same options, in brackets: `m[.stop]`, `m[.stop = TRUE]`. For
#'   a single mirai `.stop` alone has a meaning.
#'
#' @return The value of the mirai: what is at `$data` then. For a list a list of
#'   the same shape and names, with values in the places of mirais; with `.flat`
#'   a vector (for nested lists as by [unlist()]).
#'
#' @details
#' Ctrl-C ends the wait and leaves the mirais as they were; but for `m[]` of a
#' [mirai_map()], where it stops all elements that have no value yet.
#'
#' The error of `.stop` and `.flat` has the class `tenkai_collect_error`. Its
#' fields are `location`, the number of the element of `x` it is about, and
#' `name`, its name (both `NULL` for a single mirai); `parent`, the condition
#' that ended the task; and `value`, the error value. Values of several types are
#' an error with `.flat`, which names two of them; they can still be collected
#' without it. An option that is not known is an error, too.
#'
#' `.flat`, `.stop` and `.progress` are names that stand for themselves.
#'
#' @seealso [call_mirai()], [race_mirai()]
#' @examples
#' m <- mirai(1 + 1)
#' m[]
#'
#' tasks <- list(a = mirai(1), b = mirai(2))
#' collect_mirai(tasks)
#' collect_mirai(tasks, ".flat")
#'
#' tasks <- list(a = mirai(1), b = mirai(stop("no luck")))
#' e <- tryCatch(collect_mirai(tasks, ".stop"), error = identity)
#' conditionMessage(e)
#' e$name
#' daemons(0)
#' @export
collect_mirai <- function(x, options = NULL) {
  collected(x, collect_options(options))
}

#' @rdname collect_mirai
#' @export
`[.mirai` <- function(x, ...) {
  # What is written most, m[], takes no time.
  if (...length() == 1L && missing(..1)) return(collected(x, no_options))
  collected(x, options_as_written(substitute(list(...)), parent.frame()))
}

#' @rdname collect_mirai
#' @format `.flat`, `.stop` and `.progress` are symbols.
#' @export
.flat <- quote(.flat)

#' @rdname collect_mirai
#' @format NULL
#' @export
.stop <- quote(.stop)

#' @rdname collect_mirai
#' @format NULL
#' @export
.progress <- quote(.progress)

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
  .Call(tk_race, as.list(x), NULL)
}

# --- options ---

collect_flags <- c(".flat", ".stop", ".progress")
no_options <- list(flat = FALSE, stop = FALSE, progress = NULL)

# As they were given, checked: `flat` and `stop` are flags, `progress` is a list
# of arguments of a bar, or NULL.
collect_options <- function(options) {
  if (is.null(options)) return(no_options)
  if (is.character(options)) {
    options <- structure(rep(list(TRUE), length(options)), names = options)
  }
  if (!is.list(options)) {
    stop("'options' must be a character vector or a named list, not ",
         describe(options), call. = FALSE)
  }
  unknown <- setdiff(names(options) %||% rep("", length(options)),
                     collect_flags)
  if (length(unknown)) no_option(paste0("'", unknown[1L], "'"))
  for (name in setdiff(names(options), ".progress")) {
    check_flag(options[[name]], name)
  }
  list(flat = isTRUE(options[[".flat"]]), stop = isTRUE(options[[".stop"]]),
       progress = bar_arguments(options[[".progress"]]))
}

no_option <- function(what) {
  stop(what, " is no option of collecting mirais: there are ",
       paste(collect_flags, collapse = ", "),
       "; elements of a map are taken from as.list() of it", call. = FALSE)
}

bar_arguments <- function(progress) {
  if (is.null(progress) || is.list(progress)) return(progress)
  if (is.character(progress)) {
    check_string(progress, ".progress")
    return(list(name = progress))
  }
  check_flag(progress, ".progress")
  if (progress) list()
}

# Those in brackets, from `list(...)` as it was written there.
options_as_written <- function(written, where) {
  written <- Filter(function(each) !identical(each, quote(expr = )),
                    as.list(written)[-1L])
  named <- nzchar(names(written) %||% rep("", length(written)))
  options <- lapply(written[named], eval, where)
  options[vapply(written[!named], option_as_written, "", where)] <- TRUE
  collect_options(options)
}

# The name of an option stands for it, whatever is behind it there; all else is
# evaluated, and may be one.
option_as_written <- function(written, where) {
  is_option <- is.symbol(written) && as.character(written) %in% collect_flags
  given <- if (is_option) written else eval(written, where)
  if (is.symbol(given)) given <- as.character(given)
  if (!is.character(given) || length(given) != 1L) no_option(describe(given))
  given
}

# --- collecting ---

# `options`: of collect_options().
collected <- function(x, options) {
  if (is.list(x)) return(collected_list(x, options))
  if (!is_mirai(x)) return(x)
  wait_in_sight(x)
  value <- .Call(tk_data, x)
  if (options$stop && is_error_value(value)) stop(collect_error(value))
  value
}

collected_list <- function(x, options) {
  if (is_mirai_map(x)) {
    if (!is.null(handle_of_map(x))) return(collected_map(x, options))
  }
  x <- without_maps(x)
  elements <- if (options$flat) leaves_of(x) else x
  mirais <- mirais_of(elements)
  wait_for_each(mirais, options, function(mirai) {
    stop_mirai(mirais)
    stop(error_at(x, mirai))
  })
  values <- .Call(tk_values, elements)
  if (options$flat) flattened(x, elements, values) else values
}

# unlist() would make bare numbers of values among which there is no mirai.
leaves_of <- function(x) {
  if (any(vapply(x, is.list, NA))) return(as.list(unlist(x)))
  x[!vapply(x, is.null, NA)]
}

# In their order. `failed`: what is done, with `.stop`, about the first whose
# value is an error.
wait_for_each <- function(mirais, options, failed) {
  bar <- NULL
  if (!is.null(options$progress) && length(mirais) && is_on_terminal()) {
    bar <- progress_bar(options$progress, mirais)
    on.exit(bar$end())
  }
  for (each in mirais) {
    if (is.null(bar)) .Call(tk_wait, each, NULL) else bar$wait_for(each)
    if (options$stop && is_error_value(.Call(tk_data, each))) failed(each)
  }
}

# The values of `elements`, which are all that is in `x`.
flattened <- function(x, elements, values) {
  failed <- Position(is_error_value, values)
  if (!is.na(failed)) stop(error_at(x, elements[[failed]]))
  flat_values(values)
}

flat_values <- function(values) {
  types <- unique(vapply(values, typeof, ""))
  if (length(types) > 1L) {
    stop("cannot flatten outputs of differing type: ",
         paste(types[1:2], collapse = " / "), call. = FALSE)
  }
  unlist(values, recursive = FALSE)
}

# --- errors ---

# About an element of a list, or of a list within it.
error_at <- function(x, element) {
  holds_it <- function(each) {
    is_it <- function(found) identical(found, element)
    Position(is_it, mirais_of(each), nomatch = 0L)
  }
  place <- Position(holds_it, x)
  name <- names(x)[place]
  if (is.na(place)) place <- NULL
  if (!isTRUE(nzchar(name))) name <- NULL
  collect_error(.Call(tk_data, element), place, name)
}

collect_error <- function(value, location = NULL, name = NULL) {
  which <- "the mirai"
  if (!is.null(location)) {
    # The first words are those of mirai and purrr.
    which <- paste0(sprintf("In index %d", location),
                    if (!is.null(name)) sprintf(" ('%s')", name), ", the mirai")
  }
  structure(
    class = c("tenkai_collect_error", "error", "condition"),
    list(message = harmless(sprintf("%s has no value: %s", which,
                                    error_text(value))),
         call = NULL, location = location, name = name,
         parent = condition_of(value), value = value)
  )
}
