# A backend of package foreach: `%dopar%` becomes maps.
#
# The iterators of a loop may go on for ever, or make large elements, so they are not
# read to their end first: a part of the elements, a window, goes out as a map of its
# own, and more follow while there is room. foreach itself puts the results together;
# it is given each as it comes.

#' Daemons for foreach
#'
#' After `registerDoTenkai()` the loops of `foreach() %dopar%` run on daemons.
#'
#' @param .compute the compute profile, see [daemons()]; daemons must be set for it
#'   where a loop runs. `NULL`: the current one of then, see [with_daemons()].
#' @param .chunk how many elements travel together, see [mirai_map()]. A loop may say
#'   something else: `foreach(..., .options.tenkai = list(chunk = 1))`.
#' @return Invisible `NULL`. A loop is an error of class `tenkai_no_daemons` where no
#'   daemons are set, and one that says why where a package of `.packages` is missing
#'   on a daemon.
#'
#' @details
#' A loop has one R expression for all its elements, so it is done as by
#' [mirai_map()]: what the elements share is sent once to each daemon, and small
#' elements travel together. Results are combined as they come: in the order of the
#' elements, or, with `.inorder = FALSE`, in the order in which they are there.
#'
#' The expression finds the objects that it names, and those that functions among them
#' name: in the function that has the loop, in those around it, and in the global
#' environment. `.export` adds others, `.noexport` leaves some out, and packages of
#' `.packages` are attached.
#'
#' `.errorhandling = "stop"` ends the loop, and what still runs of it, with the first
#' error that comes; `"remove"` leaves out, and `"pass"` puts the condition there. An
#' element whose daemon dies is tried again as `retries` of [daemons()] says, and is
#' then an error, too, whose message says what ended the daemon.
#'
#' Iterators are asked for more as there is room: an endless one, beside one that ends,
#' or in a loop that an error ends, does no harm. Random numbers that can be repeated
#' are those of package doRNG, or of `seed` of [daemons()].
#' @seealso [mirai_map()], [make_cluster()], [future_backend()]
#' @examples
#' if (requireNamespace("foreach", quietly = TRUE)) {
#'   `%dopar%` <- foreach::`%dopar%`
#'   registerDoTenkai()
#'   daemons(2)
#'   print(foreach::foreach(x = 1:3, .combine = c) %dopar% sqrt(x))
#'   daemons(0)
#' }
#' @export
registerDoTenkai <- function(.compute = NULL, .chunk = NULL) {
  if (!is.null(.compute)) check_string(.compute, ".compute")
  if (!is.null(.chunk)) check_number(.chunk, ".chunk", minimum = 1)
  if (!requireNamespace("foreach", quietly = TRUE)) {
    stop("registerDoTenkai() is for package foreach: install it", call. = FALSE)
  }
  foreach::setDoPar(do_tenkai, list(compute = .compute, chunk = .chunk),
                    info_for_foreach)
  invisible()
}

info_for_foreach <- function(data, item) {
  switch(item, name = "tenkai",
         version = as.character(utils::packageVersion("tenkai")),
         workers = workers_of(profile_of(data$compute)))
}

# How many there are to count on.
workers_of <- function(profile) {
  if (is.null(profile)) return(1L)
  online <- counts_of(profile)[["online"]]
  as.integer(max(1, profile$n, online, na.rm = TRUE))
}

# What `%dopar%` calls.
do_tenkai <- function(obj, expr, envir, data) {
  require_daemons(data$compute, call = expr)
  loop <- new_loop(obj, expr, envir, data)
  on.exit(end_loop(loop))
  repeat {
    if (!is_full(loop)) send_window(loop) else wait_for_some(loop)
    take_results(loop)
    if (has_failed(loop)) break
    if (loop$has_ended && !length(loop$windows)) break
  }
  if (has_failed(loop)) stop(error_of_loop(loop, expr))
  foreach::getResult(loop$results)
}

# --- the loop ---

new_loop <- function(obj, expr, envir, data) {
  loop <- new.env(parent = emptyenv())
  loop$results <- iterators::iter(obj)
  loop$accumulate <- foreach::makeAccum(loop$results)
  loop$stops <- identical(obj$errorHandling, "stop")
  loop$shared <- shared_by_loop(obj, expr, envir)
  loop$compute <- data$compute
  loop$chunk <- chunk_of_loop(obj$options$tenkai, data$chunk)
  loop$workers <- workers_of(profile_of(data$compute))
  loop$pulled <- 0L
  loop$windows <- list()
  loop$has_ended <- FALSE
  loop
}

chunk_of_loop <- function(options, chunk) {
  unknown <- setdiff(names(options), "chunk")
  if (length(unknown)) {
    warning("'", unknown[1L], "' is no option of .options.tenkai, and has no ",
            "effect: there is chunk", call. = FALSE)
  }
  options$chunk %||% chunk
}

# With "stop" foreach takes no results behind an error.
has_failed <- function(loop) {
  loop$stops && !is.null(foreach::getErrorValue(loop$results))
}

error_of_loop <- function(loop, expr) {
  error <- foreach::getErrorValue(loop$results)
  text <- sprintf("task %d failed - \"%s\"", foreach::getErrorIndex(loop$results),
                  message_of(error))
  simpleError(text, call = expr)
}

# After an error, or Ctrl-C.
end_loop <- function(loop) for (window in loop$windows) stop_mirai(window$map)

# --- windows ---

# How many elements go out together, and how many are under way at a time.
most_in_window <- 4096L
most_under_way <- 2L * most_in_window
# Bytes of a window, and of all; seconds for which it waits for its iterator.
most_bytes_in_window <- 16 * 2^20
most_bytes_under_way <- 64 * 2^20
longest_pull <- 0.1

# Whether there is to be another window. Large elements, too, keep all daemons busy.
is_full <- function(loop) {
  if (loop$has_ended) return(TRUE)
  left <- sum(vapply(loop$windows, function(window) sum(!window$taken), 0L))
  bytes <- sum(vapply(loop$windows, function(window) window$bytes, 0))
  left >= most_under_way ||
    (bytes >= most_bytes_under_way && left >= 2L * loop$workers)
}

send_window <- function(loop) {
  pulled <- pull(loop)
  if (!length(pulled$elements)) return()
  map <- mirai_map(pulled$elements, element_of_loop, .args = loop$shared,
                   .chunk = loop$chunk, .compute = loop$compute)
  window <- new.env(parent = emptyenv())
  window$map <- map
  window$first <- loop$pulled
  window$taken <- logical(length(map))
  window$bytes <- pulled$bytes
  loop$pulled <- loop$pulled + length(map)
  loop$windows <- c(loop$windows, list(window))
}

# The next elements, each a list of what the iterators gave, and their size.
pull <- function(loop) {
  elements <- list()
  bytes <- 0
  begun <- proc.time()[["elapsed"]]
  repeat {
    element <- next_element(loop)
    if (loop$has_ended) break
    elements[[length(elements) + 1L]] <- element
    bytes <- bytes + as.numeric(utils::object.size(element))
    if (length(elements) >= most_in_window || bytes >= most_bytes_in_window ||
        proc.time()[["elapsed"]] - begun > longest_pull) {
      break
    }
  }
  list(elements = elements, bytes = bytes)
}

next_element <- function(loop) {
  tryCatch(iterators::nextElem(loop$results), error = function(e) {
    if (!identical(conditionMessage(e), "StopIteration")) stop(e)
    loop$has_ended <- TRUE
    NULL
  })
}

# --- results ---

# Some more, of whichever window; of one that is the last, the next of its results.
wait_for_some <- function(loop) {
  windows <- loop$windows
  if (!length(windows)) return()
  if (length(windows) == 1L) {
    map <- handle_of_map(windows[[1L]]$map)
    if (!is.null(map)) .Call(tk_map_wait, map, sum(!windows[[1L]]$taken) - 1, FALSE)
    return()
  }
  race_mirai(do.call(c, lapply(windows, some_awaited)))
}

# A few of its elements that have no result, from first to last: whichever comes, there
# are others by then.
some_awaited <- function(window) {
  left <- which(!window$taken)
  few <- unique(left[round(seq(1, length(left), length.out = 16L))])
  lapply(few, function(i) window$map[[i]])
}

take_results <- function(loop) {
  for (window in loop$windows) {
    take_from(window, loop)
    if (has_failed(loop)) return()
  }
  is_done <- vapply(loop$windows, function(window) all(window$taken), NA)
  loop$windows <- loop$windows[!is_done]
}

take_from <- function(window, loop) {
  map <- handle_of_map(window$map)
  new <- if (is.null(map)) which(!window$taken) else
    which(.Call(tk_map_answered, map) & !window$taken)
  if (!length(new)) return()
  values <- if (is.null(map)) .Call(tk_values, as.list(window$map)[new]) else
    map_values(map, new)
  window$taken[new] <- TRUE
  values <- lapply(values, result_of_element)
  # As foreach itself has it where the function that combines fails.
  tryCatch(loop$accumulate(values, window$first + new), error = function(e) {
    cat("error calling combine function:\n")
    print(e)
  })
}

# An error of the loop's expression comes as its condition. An error value is that of
# what is around it, or of a daemon that died.
result_of_element <- function(value) {
  if (!is_error_value(value)) return(value)
  if (is_mirai_error(value)) stop(conditionMessage(value), call. = FALSE)
  condition_of(value)
}

# --- in the daemon ---

element_of_loop <- function(.x, expr, exports, packages, space) {
  missing <- setdiff(paste0("package:", packages), c("package:", search()))
  if (length(missing)) {
    # To attach them takes longer than many a loop's expression.
    .Call(tk_keep_packages)
    for (package in packages) library(package, character.only = TRUE)
  }
  parent.env(exports) <- if (is.null(space)) globalenv() else asNamespace(space)
  where <- list2env(.x, parent = exports)
  tryCatch(eval(expr, where), error = identity)
}

# --- what a loop's expression needs ---

shared_by_loop <- function(obj, expr, envir) {
  exports <- dots_of(expr, envir)
  space <- topenv(envir)
  export_found(obj, expr, envir, exports)
  export_named(obj, envir, exports)
  list(expr = expr, exports = exports, packages = obj$packages,
       space = if (isNamespace(space)) unname(getNamespaceName(space)))
}

# An environment with the `...` of the function that has the loop, if it has any and
# the loop asks for it.
dots_of <- function(expr, envir) {
  given <- list()
  if ("..." %in% all.names(expr)) {
    given <- tryCatch(eval(quote(list(...)), envir), error = function(e) list())
  }
  holder <- function(...) environment()
  environment(holder) <- globalenv()
  do.call(holder, given, quote = TRUE)
}

# Looks for what is named from the inside out. foreach finds what one environment has;
# functions that were found there are looked into, too, further out.
export_found <- function(obj, expr, envir, exports) {
  env <- envir
  repeat {
    if (isNamespace(env) || identical(env, emptyenv())) return()
    found <- as.list(exports, all.names = TRUE)
    found <- found[setdiff(names(found), "...")]
    bodies <- lapply(Filter(is_closure, found), body)
    code <- as.call(c(list(as.name("{"), expr), unname(bodies)))
    foreach::getexports(code, exports, env,
                        bad = c(obj$noexport, obj$argnames, names(found)))
    if (identical(env, globalenv())) return()
    env <- parent.env(env)
  }
}

is_closure <- function(x) is.function(x) && !is.primitive(x)

export_named <- function(obj, envir, exports) {
  for (name in setdiff(obj$export, names(exports))) {
    if (!exists(name, envir)) {
      stop("'.export' names '", name, "', and there is no such object",
           call. = FALSE)
    }
    object <- get(name, envir)
    is_loose <- is_closure(object) &&
      (identical(environment(object), envir) ||
         identical(environment(object), globalenv()))
    if (is_loose) environment(object) <- exports
    assign(name, object, exports)
  }
}
