#' Map a function over elements, in parallel
#'
#' Applies a function to each element of `.x` on the daemons, and returns at once.
#' What is common to all elements is sent once to each daemon; the elements travel
#' in batches, and the dispatcher hands them out in pieces that shrink towards the
#' end, so that elements which take different times still balance.
#'
#' @param .x a vector (also a list, a factor, dates), or a data frame or matrix,
#'   whose rows are taken: then the function gets each value of a row as an argument,
#'   by the name of its column if it has one.
#' @param .f a function; or a formula, such as `~ .x + 1`, for which the package rlang
#'   has to be there.
#' @param ... named objects that `.f` refers to, or an environment, as for [mirai()].
#'   They are assigned into the global environment of the daemon.
#' @param .args a named or unnamed list of further arguments of `.f`, the same for each
#'   element.
#' @param .promise a function, or a list of two: what is done in this session with each
#'   value when it is there, and with each error. Needs the package promises.
#' @param .chunk how many elements travel together, at least 1. `NULL`: as many as take a
#'   daemon about 20 ms, and fewer towards the end.
#' @param .compute the compute profile, see [daemons()]; daemons must be set for it.
#'   `NULL`: the current one, see [with_daemons()].
#' @param .relay what of the things that the elements say while they run this session hears,
#'   see [mirai()]; `x[[i]]$output` is what element `i` has said.
#'
#' @return A `mirai_map`: a list with the length and the names of `.x`, of which each
#'   element is a mirai: `x[[i]]`, and in [lapply()] and the like. R's `for` and [do.call()]
#'   take elements without asking it; give them `as.list(x)`. Where it is changed, or put together with others by `c()`, it
#'   becomes a plain list of them, as by [as.list()]. `x[]`, or [collect_mirai()], waits for all and returns the values
#'   in the order of `.x`; `x[.flat]`, `x[.stop]` and `x[.progress]` as there.
#'   [call_mirai()], [unresolved()] and [stop_mirai()] are for the whole map, and for its
#'   elements. Where the function fails for an element, that value is an error value, and
#'   the others are not affected.
#'
#' @details
#' Each element is an evaluation of its own: with its own errors, its own retries where a
#' daemon is lost, and, with `seed` of [daemons()], its own random numbers, which are the
#' same however the elements are handed out. Elements may run more than once, as the tasks
#' of [mirai()]. Where a daemon ends while it has several elements, those that it has not
#' answered are tried again one by one, which counts for none of them but the one that
#' ends a daemon again.
#'
#' Results come back several at a time: an element that is done waits until its daemon has
#' been busy with the piece for 50 ms, or is done with it. Ctrl-C while `x[]` waits stops
#' all elements that have no value yet, as [stop_mirai()] does. [stop_mirai()] for one element
#' interrupts the one that its daemon is at, if they are of one piece; that is then tried
#' again.
#'
#' @seealso [collect_mirai()], [mirai()]
#' @examples
#' daemons(2)
#' mirai_map(1:3, function(x) x^2)[]
#' mirai_map(c(a = 1, b = 2), rnorm, .args = list(mean = 10))[]
#'
#' rows <- data.frame(x = 1:2, y = 3:4)
#' mirai_map(rows, function(x, y) x + y)[.flat]
#' daemons(0)
#' @export
mirai_map <- function(.x, .f, ..., .args = list(), .promise = NULL,
                      .chunk = NULL, .compute = NULL, .relay = NULL) {
  function_to_map <- as_function(.f)
  globals <- if (...length()) named_objects(list(...), "...") else list()
  if (!is.list(.args)) {
    stop("'.args' must be a list, not ", describe(.args), call. = FALSE)
  }
  if (!is.null(.chunk)) check_number(.chunk, ".chunk", minimum = 1)
  if (!is.null(.promise)) check_promise(.promise)
  asked <- relay_of(.relay, ".relay")
  require_daemons(.compute)
  profile <- profile_of(.compute)
  elements <- elements_of(.x)
  task <- task_of_element(function_to_map, .args, attr(elements, "columns"))
  if (is_here(profile)) {
    map <- map_here(profile, task, globals, elements)
    if (!is.null(.promise)) promise_each(map, .promise)
    return(map)
  }
  map <- structure(rep(list(no_mirai), length(elements)), names = names(elements),
                   class = "mirai_map")
  if (length(elements)) {
    relay <- if (is.null(.relay)) profile$relay else asked
    handle <- begin_map(profile$link, task, globals, length(elements), .chunk,
                        relay)
    attr(map, "map") <- handle
    if (!is.null(relay)) {
      attr(map, "output") <- new_record(.Call(tk_map_id, handle))
    }
    .Call(tk_map_send, handle, elements)
  }
  if (!is.null(.promise)) promise_each(map, .promise)
  map
}

as_function <- function(f) {
  if (is.function(f)) return(f)
  if (inherits(f, "formula")) {
    if (!requireNamespace("rlang", quietly = TRUE)) {
      stop("'.f' is a formula, for which the package rlang is needed: install it, ",
           "or write function(x) ...", call. = FALSE)
    }
    return(rlang::as_function(f))
  }
  stop("'.f' must be of type function, not ", typeof(f), call. = FALSE)
}

# As daemons(sync = TRUE) has it: a list of mirais that have resolved. Ctrl-C stops what is left.
map_here <- function(profile, task, globals, elements) {
  mirais <- lapply(elements, function(element) .Call(tk_stopped_here))
  for (i in seq_along(elements)) {
    objects <- c(task$objects, list(.x = elements[[i]]))
    mirais[[i]] <- evaluated_here(profile, task$call, globals, objects)
    if (is_mirai_interrupt(mirais[[i]]$data)) break
  }
  structure(mirais, names = names(elements), class = "mirai_map")
}

# A list. For rows each is a list of values, and the names of the columns are an attribute.
elements_of <- function(x) {
  if (is.null(x)) return(list())
  if (is.data.frame(x)) return(rows_of_frame(x))
  if (is.matrix(x)) return(rows_of_matrix(x))
  if (!is.vector(x) && !is.list(x) && !is.factor(x) && !is.atomic(x)) {
    stop("'.x' must be a vector, a data frame or a matrix, not ", describe(x),
         call. = FALSE)
  }
  as.list(x)
}

rows_of_frame <- function(x) {
  columns <- lapply(unclass(x), function(column) {
    if (is.matrix(column) || is.data.frame(column)) elements_of(column) else
      as.list(column)
  })
  rows <- lapply(seq_len(nrow(x)), function(i) lapply(unname(columns), `[[`, i))
  named <- .row_names_info(x) > 0L
  structure(rows, names = if (named) row.names(x),
            columns = names(x) %||% rep("", length(x)))
}

rows_of_matrix <- function(x) {
  rows <- lapply(seq_len(nrow(x)), function(i) as.list(unname(x[i, ])))
  structure(rows, names = rownames(x),
            columns = colnames(x) %||% rep("", ncol(x)))
}

# `.f(.x, mean = mean)`, and the objects in it. For rows `.f(x = .x[[1]], y = .x[[2]])`.
task_of_element <- function(f, args, columns) {
  names <- names(args) %||% rep("", length(args))
  names[is.na(names)] <- ""
  symbols <- symbols_for(names)
  first <- list(quote(.x))
  if (!is.null(columns)) {
    first <- lapply(seq_along(columns), function(i) call("[[", quote(.x), i))
    names(first) <- columns
  }
  more <- structure(lapply(symbols, as.symbol), names = names)
  list(call = as.call(c(quote(.f), first, more)),
       objects = c(list(.f = f), structure(args, names = symbols)))
}

begin_map <- function(link, task, globals, count, chunk, relay) {
  shared <- list(task$call, task$objects, globals, NULL,
                 .Call(tk_is_safe, link), relay)
  if (!is.null(chunk)) chunk <- min(chunk, count)
  map <- .Call(tk_map_begin, link, shared, count, chunk)
  if (is.null(map)) {
    stop("this process was forked from the session, and only the session itself ",
         "uses its daemons: set others here with daemons()", call. = FALSE)
  }
  map
}

# What the arguments are called where they are looked up: as they are named, if that is not
# the name of something else there.
symbols_for <- function(names) {
  symbols <- ifelse(nzchar(names), names, paste0(".", seq_along(names)))
  dots <- grepl("^[.][.]([.]|[0-9]+)$", symbols)
  symbols[dots] <- paste0(".", symbols[dots], ".")
  make.unique(c(".f", ".x", symbols))[-(1:2)]
}

# Before there is a map that nobody would have.
check_promise <- function(promise) {
  both <- if (is.list(promise)) promise else list(promise)
  is_handler <- function(f) {
    is.null(f) || is.function(f) || inherits(f, "formula")
  }
  if (!length(both) %in% 1:2 || !all(vapply(both, is_handler, NA))) {
    stop("'.promise' must be a function or a list of two, not ",
         describe(promise), call. = FALSE)
  }
  if (!requireNamespace("promises", quietly = TRUE)) {
    stop("'.promise' needs the package promises: install it", call. = FALSE)
  }
}

promise_each <- function(map, promise) {
  done <- if (is.list(promise)) promise else list(promise, NULL)
  for (each in as.list(map)) {
    promises::then(each, done[[1L]], if (length(done) > 1L) done[[2L]])
  }
}

# --- the object ---

#' @rdname is_mirai
#' @export
is_mirai_map <- function(x) inherits(x, "mirai_map")

# What the list itself has in each place: R's `for` and do.call() take that, and ask no method.
no_mirai <- structure(new.env(parent = emptyenv()), class = "mirai_map_place")

fail_in_place <- function(x, ...) {
  stop("this is a place in a mirai_map, not the mirai there: R's for(), do.call() and ",
       "rapply() take elements without asking the map; give them as.list(x)", call. = FALSE)
}

#' @export
`[.mirai_map_place` <- fail_in_place

#' @export
`[[.mirai_map_place` <- fail_in_place

#' @export
`$.mirai_map_place` <- fail_in_place

#' @export
print.mirai_map_place <- function(x, ...) {
  cat("< a place in a mirai map, as.list() has the mirais >\n")
  invisible(x)
}

# NULL of one without elements, a plain list of that class, and one from another process.
handle_of_map <- function(x) {
  if (!inherits(x, "mirai_map")) return()
  map <- attr(x, "map", exact = TRUE)
  if (!is.null(map) && .Call(tk_map_is_here, map)) map
}

#' @export
`[[.mirai_map` <- function(x, i, ...) {
  map <- handle_of_map(x)
  if (is.null(map)) return(as.list(x)[[i]])
  places <- structure(seq_along(x), names = names(x))
  mirai_in_map(x, map, places[[i]])
}

# In a map that is relayed it has an output, too.
mirai_in_map <- function(x, map, place) {
  mirai <- .Call(tk_map_mirai, map, as.numeric(place))
  record <- attr(x, "output", exact = TRUE)
  if (is.null(record)) return(mirai)
  keep_output(mirai, record, number_of_task(mirai))
}

#' @export
`$.mirai_map` <- function(x, name) {
  if (name %in% names(x)) x[[name]]
}

# As a single mirai from another process its elements are closed.
#' @export
as.list.mirai_map <- function(x, ...) {
  plain <- structure(as.list(unclass(x)), map = NULL, output = NULL)
  if (is.null(attr(x, "map", exact = TRUE))) return(plain)
  map <- handle_of_map(x)
  closed <- structure(7L, class = c("errorValue", "try-error"))
  for (i in seq_along(plain)) {
    plain[[i]] <- if (is.null(map)) closed else mirai_in_map(x, map, i)
  }
  plain
}

# What is made of a map is a list of its mirais.
#' @export
c.mirai_map <- function(...) {
  do.call(c, lapply(list(...), function(each) {
    if (is_mirai_map(each)) as.list(each) else each
  }))
}

#' @export
rev.mirai_map <- function(x) rev(as.list(x))

#' @export
unlist.mirai_map <- function(x, recursive = TRUE, use.names = TRUE) {
  unlist(as.list(x), recursive, use.names)
}

#' @export
`[<-.mirai_map` <- function(x, ..., value) `[<-`(as.list(x), ..., value = value)

#' @export
`[[<-.mirai_map` <- function(x, i, value) `[[<-`(as.list(x), i, value)

#' @export
`$<-.mirai_map` <- function(x, name, value) `[[<-`(as.list(x), name, value)

#' @export
`length<-.mirai_map` <- function(x, value) `length<-`(as.list(x), value)

# Nobody else may have this map, so Ctrl-C ends more than the wait.
#' @rdname collect_mirai
#' @export
`[.mirai_map` <- function(x, ...) {
  options <- options_as_written(substitute(list(...)), parent.frame())
  withCallingHandlers(collected(x, options), interrupt = function(interrupt) {
    stop_mirai(x)
  })
}

# The same list, in which each map is the list of its mirais.
without_maps <- function(x) {
  if (is_mirai_map(x)) return(as.list(x))
  if (!.Call(tk_has_map, x)) return(x)
  replaced <- function(each) if (is.list(each)) without_maps(each) else each
  lists <- lapply(x, replaced)
  attributes(lists) <- attributes(x)
  lists
}

#' @export
print.mirai_map <- function(x, ...) {
  map <- handle_of_map(x)
  left <- if (is.null(map)) 0 else .Call(tk_map_left, map)
  cat(sprintf("< mirai map [%d/%d] >\n", as.integer(length(x) - left), length(x)))
  invisible(x)
}

# --- collecting and the like: what collect_mirai() and others do with a map ---

# `options`: of collect_options().
collected_map <- function(x, options) {
  map <- handle_of_map(x)
  wait_for_map(map, length(x), options)
  failed <- if (options$stop) first_failed(map, length(x)) else 0L
  values <- if (failed == 0L) map_values(map, seq_along(x))
  if (failed == 0L && (options$stop || options$flat)) failed <- failed_of(values)
  if (failed > 0L) {
    stop_map(map)
    stop(collect_error(map_values(map, failed)[[1L]], failed, name_at(x, failed)))
  }
  names(values) <- names(x)
  if (options$flat) flat_values(values) else values
}

map_values <- function(map, places) .Call(tk_map_values, map, as.numeric(places))

# Until all are there, or, with `.stop`, until one has failed.
wait_for_map <- function(map, count, options) {
  if (is.null(options$progress) || !is_on_terminal()) {
    return(.Call(tk_map_wait, map, 0, options$stop))
  }
  bar <- new_bar(options$progress, count)
  on.exit(bar$end())
  repeat {
    left <- .Call(tk_map_left, map)
    bar$set(count - left)
    if (left == 0 || (options$stop && .Call(tk_map_failed, map) > 0)) return()
    .Call(tk_map_wait, map, max(left - ceiling(count / 200), 0), options$stop)
  }
}

# The first element that the daemons say has failed, as far as they have answered; 0:
# there is none.
first_failed <- function(map, count) {
  from <- .Call(tk_map_failed, map)
  if (from == 0) return(0L)
  for (i in seq.int(from, count)) {
    if (is_error_value(map_values(map, i)[[1L]])) return(as.integer(i))
  }
  0L
}

# The same of values that are all there. What cannot be read here, or never came, is known
# by its value alone.
failed_of <- function(values) {
  objects <- which(vapply(values, is.object, NA))
  objects <- objects[vapply(values[objects], is_error_value, NA)]
  if (length(objects)) objects[1L] else 0L
}

name_at <- function(x, place) {
  name <- names(x)[place]
  if (isTRUE(nzchar(name))) name
}

# Which of the elements were stopped.
stop_map <- function(map) {
  stopped <- !.Call(tk_map_answered, map)
  .Call(tk_map_stop, map)
  stopped
}
