# Promises for mirais, for whoever has the package promises.
#
# One watch for each link, not for each mirai: C++ says which of the mirais that
# somebody waits for have their values (tk_ripe), whoever has read them from the
# dispatcher. A later that can watch descriptors wakes the session for that, and
# for nothing else; with an older one it looks now and then.

# S3 methods for generics of a package that need not be there.
register_promises <- function() {
  register <- function(...) {
    space <- asNamespace("promises")
    if (!is_generic(space$is.promising)) .Call(tk_name_promise)
    for (class in c("mirai", "mirai_map")) {
      registerS3method("is.promising", class, is_promising, envir = space)
    }
    registerS3method("as.promise", "mirai", as_promise, envir = space)
    registerS3method("as.promise", "mirai_map", as_promise_of_all,
                     envir = space)
  }
  if (isNamespaceLoaded("promises")) register()
  setHook(packageEvent("promises", "onLoad"), register)
}

is_promising <- function(x) TRUE

# Before promises 1.3 it looked for the class of a promise and asked no method,
# so that a mirai which a step of a chain returned was not waited for.
is_generic <- function(f) "UseMethod" %in% all.names(body(f))

#' Mirais as promises
#'
#' Where the package promises is installed a mirai is a promise: of
#' [promises::then()] and its operators, of [promises::promise_all()] and
#' [promises::promise_race()], and of Shiny's `ExtendedTask`. A map of
#' [mirai_map()] is one, too, whose value is the list of its values.
#'
#' A promise is fulfilled with the value of its mirai, or with the interrupt
#' that ended it. It is rejected with a condition: for an error of the
#' evaluation the one that was raised there, with its classes, so that handlers
#' by class find it; for any other error value one of classes `errorValue` and
#' `error`, whose message says why (which daemon died, and of what) and whose
#' `code` is the number: 5 timed out, 19 the daemon died, 20 stopped.
#'
#' [stop_mirai()] rejects the promise of a mirai that it stops, with code 20.
#' That is how an `ExtendedTask` is cancelled: keep the mirai which its function
#' returns, and stop it. `daemons(kill_after = 1)` makes that free the processor
#' within a second also where C code does not look for interrupts;
#' `examples/shiny` of the sources is an app that does.
#'
#' @section Cost: With version 1.4 of package later, or a newer one, the session
#' is woken when something comes from the dispatcher, and not at all while
#' nothing does, however many promises are pending. With older ones it looks:
#' after a millisecond first, then after pauses that grow to a tenth of a
#' second, as long as any promise is pending. Each look asks every profile that
#' has one a single time, and takes some ten microseconds of processor time.
#'
#' @return Not a function: what is said here is of the methods of
#'   [promises::as.promise()] and [promises::is.promising()] for mirais.
#' @name promises
#' @examples
#' if (requireNamespace("promises", quietly = TRUE)) {
#'   m <- mirai(6 * 7)
#'   promises::then(promises::as.promise(m), function(value) print(value))
#'   call_mirai(m)
#'   while (!later::loop_empty()) later::run_now(1)
#'   daemons(0)
#' }
NULL

as_promise <- function(x) {
  promises::promise(function(resolve, reject) {
    when_resolved(x, function() {
      tryCatch(settle_promise(x$data, resolve, reject), error = reject)
    })
  })
}

# In a list all have names or none has.
as_promise_of_all <- function(x) {
  names <- names(x)
  elements <- lapply(unname(as.list(x)), function(each) {
    # A mirai of another process is none here.
    if (is_mirai(each)) each else promises::promise_reject(error_condition(each))
  })
  all <- promises::promise_all(.list = elements)
  if (is.null(names)) return(all)
  promises::then(all, function(values) structure(values, names = names))
}

settle_promise <- function(value, resolve, reject) {
  if (!is_error_value(value) || is_mirai_interrupt(value)) {
    resolve(value)
  } else if (is_mirai_error(value)) {
    reject(attr(value, "condition", exact = TRUE) %||% as.character(value))
  } else {
    reject(error_condition(value))
  }
}

error_condition <- function(value) {
  why <- attr(value, "message", exact = TRUE)
  text <- paste(c(error_words(value), why), collapse = ": ")
  structure(class = c("errorValue", "simpleError", "error", "condition"),
            list(message = text, call = NULL, code = as.integer(value)))
}

# --- one watch for each link ---

# By the number of the link. Each is an environment, and here as long as
# anything is pending:
#   link     the link
#   pending  by the number of a task, functions to call when it has its value
#   count    of such tasks
#   ripe     tasks that are known to have theirs, and were not told
#   cancel   ends the wait for its descriptors; NULL: nothing waits for them
#   pause    seconds, of a later that cannot wait for descriptors
watches <- new.env(parent = emptyenv())

# Calls `settle` when the mirai has its value.
when_resolved <- function(mirai, settle) {
  if (!unresolved(mirai)) return(settle())
  # A loop of somebody's own may be the only one that runs.
  if (!identical(later::current_loop(), later::global_loop())) {
    return(look_until_resolved(mirai, settle, 0.001))
  }
  ticket <- .Call(tk_watch, mirai)
  name <- number_text(ticket[1L])
  watch <- watches[[name]]
  if (is.null(watch)) {
    watch <- new_watch(.Call(tk_watched_link, mirai))
    watches[[name]] <- watch
  }
  task <- number_text(ticket[2L])
  others <- watch$pending[[task]]
  if (is.null(others)) watch$count <- watch$count + 1
  watch$pending[[task]] <- c(others, settle)
  watch$pause <- 0.001
  if (is.null(watch$cancel)) wait_for_ripe(name, watch)
}

new_watch <- function(link) {
  watch <- new.env(parent = emptyenv())
  watch$link <- link
  watch$pending <- new.env(parent = emptyenv())
  watch$count <- 0
  watch
}

look_until_resolved <- function(mirai, settle, pause) {
  later::later(function() {
    if (!unresolved(mirai)) return(settle())
    look_until_resolved(mirai, settle, min(2 * pause, 0.1))
  }, pause)
}

# Some thing has come: there may be more in a moment, so the next look is
# without a wait. A wait takes a thread of later's.
settle_ripe <- function(name, watch) {
  watch$cancel <- NULL
  ripe <- c(watch$ripe, number_text(.Call(tk_ripe, watch$link)))
  done <- 0L
  # Also where Ctrl-C ends one: it is told again, and then the others.
  on.exit({
    watch$ripe <- ripe[seq_along(ripe) > done]
    go_on_watching(name, watch, length(ripe) > 0L)
  })
  for (task in ripe) {
    settle_task(watch, task)
    done <- done + 1L
  }
}

settle_task <- function(watch, task) {
  for (settle in watch$pending[[task]]) settle()
  if (is.null(watch$pending[[task]])) return()
  rm(list = task, envir = watch$pending)
  watch$count <- watch$count - 1
}

go_on_watching <- function(name, watch, came) {
  if (!is.null(watch$cancel)) return()
  if (watch$count == 0) {
    rm(list = name, envir = watches)
  } else if (came) {
    watch$pause <- 0.001
    watch$cancel <- later_in_session(function() settle_ripe(name, watch), 0)
  } else {
    wait_for_ripe(name, watch)
  }
}

wait_for_ripe <- function(name, watch) {
  look <- function(...) settle_ripe(name, watch)
  watch$cancel <- if (can_watch()) {
    getExportedValue("later", "later_fd")(
      look, readfds = .Call(tk_watch_fds, watch$link),
      loop = later::global_loop()
    )
  } else {
    later_in_session(look, watch$pause)
  }
  watch$pause <- min(2 * watch$pause, 0.1)
}

later_in_session <- function(what, seconds) {
  later::later(what, seconds, loop = later::global_loop())
}

can_watch <- function() "later_fd" %in% getNamespaceExports("later")
