# A backend of package future (1.40 or later): a future is a task of a compute
# profile. future itself takes the expression apart and puts the result together;
# here it is sent, waited for and stopped.

#' Daemons for futures
#'
#' `plan(tenkai::future_backend)` has all futures of package future evaluated on
#' daemons, and so what is built on futures: future.apply, furrr, doFuture and
#' others. It is for `plan()` alone, and is never called.
#'
#' @param ... not used.
#' @param profile the compute profile whose daemons evaluate the futures. Where none
#'   are set for it, `daemons(profile =)` sets them. `NULL`: the current one, see
#'   [with_daemons()].
#' @param workers the number of daemons on this machine that the plan starts, under
#'   a compute profile of its own; with `profile`, the number that
#'   [daemons()] is told. A function is called for it. `NULL`: none are started if
#'   daemons are set, else as many as `parallelly::availableCores()` says.
#' @return No value: calling it is an error. `plan()` has errors of its own for
#'   arguments that are wrong, those of [daemons()] where daemons cannot start, and
#'   one that says so where future is older than 1.40.
#'
#' @details
#' Daemons that were set before are used, and stay. Those that the plan has started
#' end when another plan is set, such as `plan(sequential)`.
#'
#' `future()` does not wait for a free daemon: futures queue as mirais do, and only
#' where what they hold exceeds `memory` of [daemons()] it waits.
#' `nbrOfWorkers()` is the number of daemons that are set, or of those that are
#' connected, if that is more.
#'
#' Output, messages and warnings are relayed by `value()`, as with any other
#' backend. What future calls an immediate condition, such as the progress of
#' progressr, is signalled while the future runs, whenever the session looks at it:
#' in `value()`, `resolved()` and all that waits. `future(stdout = NA)` and
#' `future(conditions = NULL)`, by which future does not capture, are relayed as by
#' `mirai(.relay = TRUE)`.
#'
#' A future whose daemon dies is tried again as `retries` of [daemons()] says. Then
#' `value()` is an error of class `FutureInterruptError`, whose message says what
#' ended the daemon. So it is for one that `cancel()` has interrupted, or that
#' another plan or `daemons(0)` has ended. Where the package future is missing
#' on a daemon, the error is a `FutureError`. The field `value` of these errors is
#' the error value of the mirai.
#'
#' With `safe = TRUE` daemons bring plain values of futures alone: one that warns or
#' fails brings a condition, and is refused.
#'
#' Futures within futures are evaluated one after the other, unless the plan says
#' something else: in `plan(list(a, b))`, `b` is for them.
#' @seealso [daemons()], [mirai_map()], [registerDoTenkai()]
#' @examples
#' if (requireNamespace("future", quietly = TRUE) &&
#'     packageVersion("future") >= "1.40") {
#'   future::plan(future_backend, workers = 2)
#'   f <- future::future(6 * 7)
#'   print(future::value(f))
#'   future::plan(future::sequential)
#' }
#' @export
future_backend <- function(..., profile = NULL, workers = NULL) {
  stop("future_backend() is for plan(), as in plan(tenkai::future_backend, ",
       "workers = 2), and is not called", call. = FALSE)
}

# --- the backend ---

# plan() calls it with the arguments that future_backend() was given there.
new_future_backend <- function(profile = NULL, workers = NULL, ...) {
  check_future()
  backend <- future::FutureBackend(
    profile = profile, workers = workers, ...,
    active = new.env(parent = emptyenv()), swept = 0L
  )
  # A daemon reads a plan in a start-up file, too: there it is set up when it is used.
  if (!is_starting()) set_up_backend(backend)
  backend$futureClasses <- c("TenkaiFuture", "MultiprocessFuture",
                             backend$futureClasses)
  structure(backend, class = c("TenkaiFutureBackend", "MultiprocessFutureBackend",
                               class(backend)))
}

class(future_backend) <- c("future_backend", "multiprocess", "future", "function")
attr(future_backend, "init") <- TRUE
attr(future_backend, "factory") <- new_future_backend
attr(future_backend, "tweakable") <- c("profile", "workers")

check_future <- function() {
  if (utils::packageVersion("future") >= "1.40") return()
  stop("future_backend needs version 1.40 of package future or later, not ",
       utils::packageVersion("future"), call. = FALSE)
}

# Methods for generics of future, whenever it is loaded. An old one has not all.
register_future <- function() {
  register <- function(...) {
    space <- asNamespace("future")
    for (name in names(future_methods)) {
      if (!exists(name, space, mode = "function")) next
      class <- if (name %in% c("resolved", "result")) "TenkaiFuture" else
        "TenkaiFutureBackend"
      registerS3method(name, class, future_methods[[name]], envir = space)
    }
  }
  if (isNamespaceLoaded("future")) register()
  setHook(packageEvent("future", "onLoad"), register)
}

# --- its daemons ---

# The compute profile that a plan uses, by its name `compute`, and, where the plan
# has started its daemons, that profile. The session's random numbers stay.
daemons_of_plan <- function(profile, workers) {
  if (!is.null(profile)) check_string(profile, "profile")
  workers <- number_of_workers(workers)
  is_own <- is.null(profile) && (!is.null(workers) || !daemons_set())
  if (is_own) workers <- workers %||% as.integer(future::availableCores())
  compute <- if (is_own) sprintf("future-%d", workers) else compute_of(profile)
  if (daemons_set(compute)) {
    # Those of another plan for futures may be this one's, too.
    return(list(compute = compute, started = if (is_own) profile_of(compute)))
  }
  keeping_stream(if (is_own) start_workers(workers, compute) else
    start_profile(profile, workers))
  list(compute = compute, started = profile_of(compute))
}

# future itself goes back to the options that were there. Packages stay attached, as
# in its own workers.
start_workers <- function(workers, compute) {
  daemons(workers, cleanup = 1L, .compute = compute)
}

start_profile <- function(profile, workers) {
  if (is.null(workers)) return(daemons(profile = profile))
  daemons(workers, profile = profile)
}

# NULL is NULL.
number_of_workers <- function(workers) {
  if (is.function(workers)) workers <- workers()
  if (is.null(workers)) return()
  if (!is.numeric(workers) || length(workers) != 1L || is.na(workers) ||
      workers < 1 || workers > .Machine$integer.max) {
    stop("'workers' must be a number of daemons, of at least 1, not ",
         describe(workers), call. = FALSE)
  }
  as.integer(workers)
}

keeping_stream <- function(expr) {
  before <- current_stream()
  on.exit(set_stream(before))
  expr
}

# That of the plan; started anew where it was the plan's own and has ended. A plan
# that was set before may be again, and is then the same.
profile_of_backend <- function(backend) {
  if (is.null(backend$compute) && !is_starting()) set_up_backend(backend)
  profile <- profile_of(backend$compute)
  if (is_alive(profile)) return(profile)
  if (is.null(backend$started)) stop(not_set(backend$compute, NULL))
  profile_of(set_up_backend(backend))
}

# `started`: the profile, if the plan has started its daemons.
set_up_backend <- function(backend) {
  settled <- daemons_of_plan(backend$profile, backend$workers)
  backend$started <- settled$started
  backend$compute <- settled$compute
}

# Ends daemons that the plan has started, if they are still the ones.
stop_workers <- function(backend, interrupt = TRUE, ...) {
  for (future in active_futures(backend)) stop_active(future)
  rm(list = names(backend$active), envir = backend$active)
  started <- backend$started
  if (is.null(started)) return(FALSE)
  if (!identical(profiles[[backend$compute]], started)) return(FALSE)
  daemons(0L, .compute = backend$compute)
  TRUE
}

stop_active <- function(future) {
  future::cancel(future, interrupt = FALSE)
  if (!is.null(future$mirai)) stop_mirai(future$mirai)
}

count_workers <- function(evaluator) {
  if (is_starting()) return(number_of_workers(evaluator$workers) %||% 1L)
  workers_of(profile_of_backend(evaluator))
}

count_free_workers <- function(evaluator, background = FALSE, ...) {
  unresolved <- Filter(Negate(is_resolved_future), active_futures(evaluator))
  max(0, count_workers(evaluator) - length(unresolved))
}

# --- the futures that are under way ---

active_futures <- function(backend) unname(as.list(backend$active))

keep_active <- function(backend, future) {
  backend$active[[key_of(future)]] <- future
  backend$counters[["launched"]] <- backend$counters[["launched"]] + 1L
  # Values that nobody asks for any more are not kept here.
  if (length(backend$active) < 2L * backend$swept + 64L) return()
  for (each in active_futures(backend)) {
    if (is_resolved_future(each)) drop_active(backend, each)
  }
  backend$swept <- length(backend$active)
}

drop_active <- function(backend, future) {
  key <- key_of(future)
  if (!is.null(backend$active[[key]])) rm(list = key, envir = backend$active)
}

key_of <- function(future) paste(future$uuid, collapse = "-")

# As a table, in the order in which they were made.
list_futures <- function(backend, ...) {
  futures <- active_futures(backend)
  counter <- vapply(futures, function(each) {
    as.integer(each$uuid[length(each$uuid)])
  }, 0L)
  futures <- futures[order(counter)]
  table <- data.frame(
    counter = sort(counter),
    start = vapply(futures, function(each) as.numeric(each$start %||% NA), 0),
    label = vapply(futures, function(each) each$label %||% NA_character_, ""),
    resolved = vapply(futures, is_resolved_future, NA)
  )
  table$future <- lapply(futures, list)
  table
}

# --- a future's way ---

# Sends it off; it waits for a daemon at the dispatcher.
launch_future <- function(backend, future, ...) {
  profile <- profile_of_backend(backend)
  future$backend <- backend
  call <- call_of_future(future)
  relay <- relay_of_future(future)
  future$mirai <- submit_future(profile, call, relay, backend$compute)
  future$state <- "running"
  keep_active(backend, future)
  invisible(future)
}

submit_future <- function(profile, call, relay, compute) {
  if (is.null(profile$link)) return(mirai_here(compute, call, list(), list()))
  mirai <- .Call(tk_submit, profile$link, call, list(), list(), NULL, NULL, relay)
  if (!is.null(mirai)) return(mirai)
  stop("this process was forked from the session, and only the session itself ",
       "uses its daemons: set another plan() here", call. = FALSE)
}

# What the daemon evaluates. future does the most; what it calls immediate is not
# for the result to bring.
call_of_future <- function(future) {
  call <- future::getExpression(future, mc.cores = 1L)
  classes <- attr(future$conditions, "immediateConditionClasses", exact = TRUE)
  if (length(classes)) {
    call <- call("withCallingHandlers", call, condition = sayer_of(classes))
  }
  if (isTRUE(future$gc)) call <- as.call(list(value_then_gc, call))
  call
}

value_then_gc <- function(value) {
  force(value)
  gc()
  value
}

# What future does not capture is relayed as with any other task. When it
# does, what is immediate comes by a handler of its own, and needs no other.
relay_of_future <- function(future) {
  kinds <- if (is.na(future$stdout)) sayings[["output"]] else 0L
  if (is.null(future$conditions)) {
    kinds <- kinds + sum(sayings[c("message", "warning", "condition")])
  }
  kinds + said_by_itself
}

is_resolved_future <- function(future) {
  if (!is.null(future$result) || is.null(future$mirai)) return(TRUE)
  !.Call(tk_unresolved, future$mirai)
}

# One that was not launched is, by future's own method.
resolved_future <- function(x, ...) {
  if (x$state == "created" || is_resolved_future(x)) {
    signalled <- NextMethod()
    return(signalled || x$state != "created")
  }
  FALSE
}

interrupt_future <- function(backend, future, ...) {
  if (!isTRUE(backend$interrupts) || is.null(future$mirai)) return(future)
  stop_mirai(future$mirai)
  future$state <- "interrupted"
  future
}

# The FutureResult, waited for, or the error that there is none.
result_of_future <- function(future, ...) {
  if (future$state == "created") future <- future::run(future)
  if (is.null(future$result)) settle_future(future)
  if (inherits(future$result, "FutureError")) stop(future$result)
  future$result
}

settle_future <- function(future) {
  mirai <- future$mirai
  wait_in_sight(mirai)
  value <- .Call(tk_data, mirai)
  outcome <- outcome_of_future(value, future$state)
  future$result <- if (outcome$state == "finished") value else
    future_error(outcome, value, future)
  future$state <- outcome$state
  future$mirai <- NULL
  finish_future(future$backend, future)
}

finish_future <- function(backend, future) {
  drop_active(backend, future)
  backend$counters[["finished"]] <- backend$counters[["finished"]] + 1L
  result <- future$result
  if (!inherits(result, "FutureResult")) return()
  took <- difftime(result$finished, result$started, units = "secs")
  backend$runtime <- backend$runtime + as.numeric(took)
}

# What a value of its mirai means for a future that is in `state`: the state that it
# is in then, and, where there is no result, the class and words of the error.
outcome_of_future <- function(value, state) {
  if (inherits(value, "FutureResult")) return(list(state = "finished"))
  if (inherits(value, "FutureError")) {
    return(list(state = "failed", class = class(value)[1L],
                words = conditionMessage(value)))
  }
  if (!is_error_value(value)) {
    return(list(state = "failed", class = "FutureError",
                words = paste("its value is no result of a future, but",
                              describe(value))))
  }
  if (state == "canceled") {
    return(list(state = state, class = "FutureCanceledError",
                words = paste("it was cancelled,", error_text(value))))
  }
  ended <- is_mirai_interrupt(value) || is.numeric(value) &&
    as.integer(value) %in% c(7L, 19L, 20L)
  list(state = if (ended) "interrupted" else "failed",
       class = if (ended) "FutureInterruptError" else "FutureError",
       words = error_text(value))
}

future_error <- function(outcome, value, future) {
  # future adds which one it is.
  message <- harmless(paste("the future has no value:", outcome$words))
  # future has had no error of its own for one that was cancelled.
  make <- c(FutureCanceledError = "FutureInterruptError",
            FutureLaunchError = "FutureLaunchError",
            FutureInterruptError = "FutureInterruptError")[outcome$class]
  make <- if (is.na(make)) "FutureError" else make
  error <- getExportedValue("future", make)(message, future = future)
  class(error) <- unique(c(outcome$class, class(error)))
  error$value <- value
  error
}

# --- immediate conditions ---

# In the daemon: the handler that sends them.
sayer_of <- function(classes) {
  force(classes)
  function(condition) {
    if (inherits(condition, classes)) say_as_it_is(condition)
  }
}

future_methods <- list(
  launchFuture = launch_future, listFutures = list_futures,
  interruptFuture = interrupt_future, stopWorkers = stop_workers,
  nbrOfWorkers = count_workers, nbrOfFreeWorkers = count_free_workers,
  resolved = resolved_future, result = result_of_future
)
