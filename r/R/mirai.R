#' Evaluate an expression asynchronously
#'
#' Sends an expression to be evaluated in another R process and returns at once
#' a 'mirai', which resolves by itself to the value. The process is one of the
#' daemons that were set with [daemons()], or else a new one for this task.
#'
#' @param .expr an expression to evaluate, in `{}` if there are several; or the
#'   name of a variable that holds a language object (see [quote()]).
#' @param ... named objects that the expression needs. They are assigned into
#'   the global environment of the daemon before evaluation, so functions among
#'   them find each other. Or one environment, whose objects are taken: all of
#'   them but `.Random.seed`, also those whose names begin with a dot, and, of a
#'   function called with `...`, that.
#' @param .args a named list or vector (or an environment) of objects that only
#'   the expression itself sees; they are not put into the global environment.
#' @param .timeout milliseconds after which the mirai resolves to an error value
#'   5 (timed out), counted from now. The work is cancelled as by
#'   [stop_mirai()]. `NULL`: no limit.
#' @param .time_request seconds that the evaluation may take, for daemons whose
#'   job has a time limit: it is never started where its job ends sooner, and
#'   later tasks that fit go first there. Where no daemon has as long left, it
#'   waits for one that has. Nothing is stopped when it takes longer. `NULL`: it
#'   is started anywhere but in the last seconds of a job.
#' @param .compute the compute profile to use, see [daemons()]. `NULL`: the
#'   current one, see [with_daemons()].
#' @param .relay what of the things that the task says while it runs is heard here:
#'   `TRUE` all, `FALSE` nothing, or some of `"output"`, `"message"`, `"warning"`,
#'   `"condition"` (all others but errors). `NULL`: as `relay` of [daemons()] says.
#'   See the section on it.
#'
#' @return An object of class `mirai`. Its `$data` is an 'unresolved' logical
#'   `NA` until the value is there, and then the value; `m[]` waits for it, see
#'   [collect_mirai()]. The attribute `id` is a string that no other mirai of this
#'   session has. Once `$data` has been looked at,
#'   `$usage` says what the evaluation has used on its daemon: `cpu`, seconds of
#'   processor time, `memory`, bytes, the most that its R process had in memory
#'   meanwhile, `seconds`, how long it took, and `task`, its number, by which logs
#'   name it; `NULL` where nothing was evaluated. What tasks of less than a millisecond
#'   use of the processor is in the `cpu` of a later one. `$output`, of a task that is
#'   relayed, is what it has said so far.
#'
#' @details
#' If the expression fails, the value is an object of classes `miraiError`,
#' `errorValue` and `try-error`: the message, with the frames of the user's code
#' in `$stack.trace` (innermost first) and the original condition in
#' `$condition`: what R tells at its top level for the same expression. (Where
#' the C stack is used up, R keeps no frames.) Each field of the condition is
#' one of the error, too, and an attribute: `$message`, `$call`, those of a class
#' of your own, `$parent` and `$trace` of rlang; `$condition.class` are its
#' classes. [conditionMessage()] and [conditionCall()] work. What of a condition
#' cannot be sent is left out. An interrupted one has the class
#' `miraiInterrupt`. Anything
#' else that keeps the value from coming is an integer `errorValue`: 5 timed
#' out, 7 closed by `daemons(0)`, 13 a result that is invalid (see `safe` of
#' [daemons()]), 19 the process that worked on it died, 20 stopped by
#' [stop_mirai()]; its attribute `message` says what happened.
#'
#' The value is delivered once. The expression, though, may *run* more than
#' once: where a daemon is lost through no fault of the task, the task is given
#' to another one (argument `retries` of [daemons()]).
#'
#' While the tasks that wait for an answer hold more memory than the dispatcher
#' allows (`memory` of [daemons()]), `mirai()` waits for some to finish.
#'
#' @section What a task says while it runs:
#' With `.relay` (or `relay` of [daemons()]) the session hears a task while it runs,
#' whenever it looks: in [call_mirai()] and `m[]`, [unresolved()], `m$data`,
#' [status()], and in the loop that promises use. Things come in order. Lines of
#' output are written as `[task 12] line`, with the number that logs have, too.
#' Messages, warnings and other conditions are signalled here again, each with the
#' number as its attribute `task`, to the handlers that there are: those of progressr,
#' for one. A message that nobody handles is written to standard error; a warning is
#' one of this session. What the task handles itself is not heard, and errors are its
#' value.
#'
#' Output is all that is written to standard output, also by C code and other
#' programs; a line is heard when it ends. What R writes to standard error without a
#' message is not heard. What of a condition cannot be sent, or is larger than 64 KiB,
#' goes as its message.
#'
#' `m$output` keeps the last 1 MiB at least, as a character vector whose names are the
#' kinds. A task that says more than about 1.5 MB per second waits. What a session
#' leaves unread is kept up to 64 MiB; then some is left out, and the session is told.
#' A task that is tried again says things again; of one whose process is killed the
#' last 20 ms may be lost.
#'
#' @section Large vectors:
#' On one machine the numbers of vectors of 1 MiB or more (logical, integer, double, complex, raw; also
#' those in lists and data frames) are copied once, when the session sends them, or the daemon its
#' value. Who receives such a vector maps the memory that they lie in: it takes no time and, for as
#' long as nobody writes to it, no memory of its own, in however many processes. Who does write to it
#' gets pages of his own, and nobody else sees it. What a task returns as it was given is not
#' copied again. To R it is an ordinary vector
#' (`ALTREP`); [saveRDS()] and the like write its numbers. Texts, what is in
#' environments, values with hooks ([serialization()]) and the elements of a
#' [mirai_map()] are copied as before, as is what comes over a network.
#'
#' @seealso [call_mirai()], [collect_mirai()], [race_mirai()], [unresolved()],
#'   [stop_mirai()], [everywhere()]
#' @examples
#' m <- mirai(x + y, x = 1, y = 2)
#' m
#' call_mirai(m)$data
#'
#' expr <- quote(sum(values))
#' m <- mirai(expr, .args = list(values = 1:10))
#' call_mirai(m)$data
#'
#' m <- mirai({
#'   message("halfway")
#'   "done"
#' }, .relay = TRUE)
#' m[]
#' m$output
#'
#' m <- mirai(stop("no luck"))
#' m[]
#' m$data$message
#' daemons(0)
#' @export
mirai <- function(.expr, ..., .args = list(), .timeout = NULL,
                  .time_request = NULL, .compute = NULL, .relay = NULL) {
  if (missing(.expr)) stop("missing expression, perhaps wrap in {}?")
  expr <- expression_of(substitute(.expr), parent.frame())
  globals <- if (...length()) named_objects(list(...), "...") else list()
  if (length(.args)) .args <- named_objects(.args, ".args") else .args <- list()
  if (!is.null(.timeout)) check_number(.timeout, ".timeout")
  if (!is.null(.time_request)) check_number(.time_request, ".time_request")
  asked <- relay_of(.relay, ".relay")
  taker <- taker_for(.compute)
  link <- taker$link
  if (is.null(link)) return(mirai_here(.compute, expr, globals, .args))
  relay <- if (is.null(.relay)) taker$relay else asked
  made <- .Call(tk_submit, link, expr, globals, .args, .timeout, .time_request,
                relay) %||%
    # A forked child does not write into its parent's stream.
    .Call(tk_submit, own_link(.compute), expr, globals, .args, .timeout,
          .time_request, relay)
  if (is.null(relay)) made else keep_output(made)
}

#' Evaluate an expression on every daemon
#'
#' The expression is evaluated once on each daemon of the profile, in its global
#' environment (or, with `.args`, in one that holds them), before any
#' task that is submitted later, and also on daemons that connect later. What it
#' leaves behind (packages, options, global objects) stays, whatever `cleanup`
#' is set to.
#'
#' What it sends is kept for daemons that connect later, as long as these daemons
#' are set. Where all that is kept would exceed `memory` of [daemons()], the call
#' is an error, and runs nowhere.
#'
#' @inheritParams mirai
#' @param .min how many daemons must have run it before all values are there: where
#'   fewer are connected, those that connect next count, too.
#' @return Invisibly and at once, a list of mirais of class `mirai_map`, one for each
#'   daemon that is connected, and at least `.min`: the values, for [call_mirai()]
#'   and the like. That of an assignment is `NULL`, so that large objects do not
#'   come back. A daemon that is gone before it has run it makes an error value 19.
#'   `NULL` if no daemons are set. Should the expression fail on a daemon, a
#'   message says so, too, at the next call that looks at the profile.
#'   [stop_mirai()] ends the wait for a value, and not the evaluation.
#' @examples
#' daemons(1)
#' made <- everywhere(offset <- 100)
#' call_mirai(made)
#' m <- mirai(offset + 1)
#' call_mirai(m)$data
#' daemons(0)
#' @export
everywhere <- function(.expr, ..., .args = list(), .min = 1L,
                       .compute = NULL) {
  if (missing(.expr)) stop("missing expression, perhaps wrap in {}?")
  expr <- expression_of(substitute(.expr), parent.frame())
  globals <- if (...length()) named_objects(list(...), "...") else list()
  args <- if (length(.args)) named_objects(.args, ".args") else list()
  check_number(.min, ".min")
  if (.min > most_answers) {
    stop("'.min' must be at most ", most_answers, ", not ", describe(.min),
         call. = FALSE)
  }
  expr <- without_value(expr)
  profile <- profile_of(.compute)
  if (is.null(profile)) return(invisible())
  mirais <- if (is_here(profile)) {
    list(evaluated_here(profile, expr, globals, args, TRUE))
  } else {
    online <- counts_of(profile)[["online"]]
    .Call(tk_everywhere, profile$link, expr, globals, args,
          max(.min, online, na.rm = TRUE), .min)
  }
  invisible(structure(mirais, class = "mirai_map"))
}

# To one everywhere(), as the dispatcher has it.
most_answers <- 65536L

# An assignment is not made for its value, which may be large.
without_value <- function(expr) {
  last <- expr
  while (is_call_to(last, "{", 1L)) last <- last[[length(last)]]
  assigns <- is_call_to(last, "<-") || is_call_to(last, "=") ||
    is_call_to(last, "<<-")
  if (assigns) call("{", expr, NULL) else expr
}

#' Wait for a mirai
#'
#' Waits until a mirai has resolved. Ctrl-C ends the wait and leaves the mirai
#' as it was; `call_mirai_()` is the same and is kept for code that calls it.
#' Where it waits for more than 2 seconds at a terminal, a line shows for which task
#' and how long, with the last line that it has said; `options(tenkai.waiting =
#' FALSE)` keeps it away.
#'
#' @param aio a mirai, or a list of them, which may be nested. Anything else is
#'   returned as it is.
#' @return `aio`, invisibly; its value is then at `$data`.
#' @seealso [collect_mirai()] for the values, [race_mirai()] for the first
#' @examples
#' m <- mirai(Sys.getpid())
#' call_mirai(m)$data
#' daemons(0)
#' @export
call_mirai <- function(aio) {
  if (!is.null(map <- handle_of_map(aio))) {
    .Call(tk_map_wait, map, 0, FALSE)
    return(invisible(aio))
  }
  for (each in mirais_of(aio)) wait_in_sight(each)
  invisible(aio)
}

#' @rdname call_mirai
#' @export
call_mirai_ <- call_mirai

#' Ask whether a mirai is unresolved
#'
#' Does not wait.
#'
#' @param aio a mirai, a list of them, which may be nested, or what `$data` of a
#'   mirai returned.
#' @return `TRUE` while (any of) the mirai is unresolved, else `FALSE`.
#' @examples
#' m <- mirai(Sys.sleep(0.1))
#' while (unresolved(m)) Sys.sleep(0.05)
#' m$data
#' daemons(0)
#' @export
unresolved <- function(aio) {
  if (!is.null(map <- handle_of_map(aio))) return(.Call(tk_map_left, map) > 0)
  for (each in mirais_of(aio)) if (.Call(tk_unresolved, each)) return(TRUE)
  FALSE
}

#' Stop a mirai
#'
#' The mirai resolves at once to an error value 20 (operation canceled). If its
#' task is still queued it never runs; if it runs, it is interrupted. Code that
#' does not look for interrupts keeps its daemon busy until it returns (or until
#' `kill_after`, see [daemons()]).
#'
#' @param aio a mirai, or a list of them, which may be nested. A resolved one
#'   stays as it is.
#' @return Invisibly, `TRUE` if something was stopped: the mirai had not resolved.
#'   Else `FALSE`. For a list a logical vector, with one for each of its elements
#'   (for a list within it: whether any in there was stopped).
#' @examples
#' m <- mirai(Sys.sleep(60))
#' stop_mirai(m)
#' m$data
#' daemons(0)
#' @export
stop_mirai <- function(aio) {
  if (!is.null(map <- handle_of_map(aio))) return(invisible(stop_map(map)))
  stopped <- if (is.list(aio)) {
    vapply(as.list(aio), has_stopped, NA, USE.NAMES = FALSE)
  } else {
    has_stopped(aio)
  }
  invisible(stopped)
}

has_stopped <- function(aio) {
  stopped <- FALSE
  for (each in mirais_of(aio)) stopped <- .Call(tk_stop, each) || stopped
  stopped
}

# The mirais in a list and in the lists within it; anything else stands for
# itself, and C++ looks whether it is one.
mirais_of <- function(aio) {
  if (is.list(aio)) .Call(tk_mirais, without_maps(aio)) else list(aio)
}

#' @export
print.mirai <- function(x, ...) {
  cat("< mirai | $data >\n")
  invisible(x)
}

# --- the arguments of mirai() and everywhere() ---

# A bare name stands for the language object it holds where it was written; if
# it holds none, the name itself is the expression.
expression_of <- function(expr, where) {
  if (!is.symbol(expr)) return(expr)
  held <- get0(as.character(expr), envir = where)
  if (is.language(held)) held else expr
}

# A list of named objects from `...` or `.args`. A single environment stands for
# the objects in it.
named_objects <- function(objects, argument) {
  if (is.environment(objects)) return(objects_in(objects))
  if (is.atomic(objects) && !is.null(names(objects))) {
    objects <- as.list(objects)
  }
  if (!is.list(objects)) {
    stop(sprintf("'%s' must be a named list or an environment", argument),
         call. = FALSE)
  }
  names <- names(objects)
  if (is.null(names) || !all(nzchar(names))) {
    if (length(objects) == 1L && is.environment(objects[[1L]])) {
      return(objects_in(objects[[1L]]))
    }
    stop("all ", if (argument != "...") "items in ", "`", argument, "`",
         if (argument == "...") " arguments", " must be named", call. = FALSE)
  }
  objects
}

# The objects of an environment. What was given as `...` is evaluated here, where
# it was meant; what cannot be (it may be for a function that looks at the words)
# goes as it was written. A daemon has random numbers of its own.
objects_in <- function(env) {
  if (exists("...", envir = env, inherits = FALSE)) {
    given <- eval(as.call(list(`...length`)), env)
    for (i in seq_len(given)) {
      tryCatch(eval(as.call(list(`...elt`, i)), env), error = identity)
    }
  }
  objects <- as.list.environment(env, all.names = TRUE)
  objects[names(objects) != ".Random.seed"]
}

`%||%` <- function(x, y) if (is.null(x)) y else x

# Makes the function behind a mirai's `$data`; C++ calls it for each new mirai.
reader_of <- function(self) function(value) .Call(tk_data, self)
