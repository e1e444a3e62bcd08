# What a daemon does in R for each task. C++ calls evaluate(), which calls back
# to where the task's bytes are.

# Where C++ finds eval() under a name of our own: the frames of that name are
# where ours end and the user's begin in a stack trace.
evaluation_space <- function() {
  space <- new.env(parent = baseenv())
  assign(".tenkai_evaluate", eval, envir = space)
  space
}

# NULL when the task went well; else the error value that it resolves to. The
# handlers leave by a promise to return from here, which costs less for the
# tasks that go well than tryCatch() does.
evaluate <- function() {
  failure <- NULL
  delayedAssign("leave", return(failure))
  withCallingHandlers(
    .Call(tk_evaluate),
    error = function(condition) {
      .Call(tk_handling, FALSE)
      failure <<- mirai_error(condition, sys.calls())
      leave
    },
    interrupt = function(condition) {
      .Call(tk_handling, TRUE)
      failure <<- mirai_interrupt()
      leave
    }
  )
}

# For what even evaluate() could not catch: an error while one was handled
# (`text` is R's message), or a jump to the top level (`text` is empty).
escaped <- function(text, interrupted) {
  if (interrupted) return(mirai_interrupt())
  message <- if (nzchar(text)) {
    sub("^Error[^:]*: *\n? *", "", sub("\n$", "", text))
  } else {
    "the task jumped to the top level of R"
  }
  mirai_error_from(paste0("Error: ", message), simpleError(message), list())
}

mirai_interrupt <- function() {
  structure("", class = c("miraiInterrupt", "errorValue", "try-error"))
}

mirai_error <- function(condition, calls) {
  call <- conditionCall(condition)
  text <- if (is.null(call) || is_ours(call)) {
    paste0("Error: ", conditionMessage(condition))
  } else {
    paste0("Error in ", deparse(call, nlines = 1L)[1L], ": ",
           conditionMessage(condition))
  }
  # As the task's author would see it on a terminal, when output = TRUE.
  cat(text, "\n", sep = "", file = stderr())
  mirai_error_from(text, condition, stack_trace(calls))
}

mirai_error_from <- function(text, condition, trace) {
  structure(text, stack.trace = trace, condition = condition,
            class = c("miraiError", "errorValue", "try-error"))
}

# The same error without what is more than data: of its condition only the
# message, and what is as simple as that, are left.
plain_error <- function(failure) {
  condition <- attr(failure, "condition", exact = TRUE)
  if (is.null(condition)) return(failure)
  fields <- lapply(Filter(is.atomic, unclass(condition)), as.vector)
  fields$message <- paste(conditionMessage(condition), collapse = "\n")
  first <- c("message", intersect("call", names(condition)))
  call <- if ("call" %in% first) list(call = NULL)
  fields <- c(fields["message"], call, fields[!names(fields) %in% first])
  attr(failure, "condition") <- structure(fields, class = class(condition))
  failure
}

is_ours <- function(call) {
  is.call(call) && identical(call[[1L]], quote(.tenkai_evaluate))
}

# The frames of the user's code, innermost first, each as its source text where
# that was kept.
stack_trace <- function(calls) {
  last <- length(calls) - 1L  # the handler itself
  # R's own way of calling a handler for an error that has no condition yet.
  if (last > 1L && is_call_to(calls[[last]], "h") &&
      is_call_to(calls[[last - 1L]], ".handleSimpleError")) {
    last <- last - 2L
  } else if (last > 0L && is_call_to(calls[[last]], ".handleSimpleError")) {
    last <- last - 1L
  }
  ours <- which(vapply(calls, is_ours, NA))
  # eval() makes two frames, both ours.
  first <- if (length(ours) > 1L) ours[2L] + 1L else last + 1L
  if (first > last) return(list())
  lapply(calls[last:first], frame_text)
}

is_call_to <- function(call, name) {
  is.call(call) && identical(call[[1L]], as.symbol(name))
}

frame_text <- function(call) {
  source <- attr(call, "srcref", exact = TRUE)
  lines <- if (is.null(source)) {
    deparse(call, nlines = 50L)
  } else {
    as.character(source)
  }
  paste(lines, collapse = "\n")
}

# --- going back to how it was before the task ---

detach_new <- function(baseline) {
  for (name in setdiff(search(), baseline)) {
    # Detached, never unloaded: code that is still referred to would crash.
    try(detach(name, character.only = TRUE), silent = TRUE)
  }
}

restore_options <- function(saved) {
  new <- setdiff(names(options()), names(saved))
  try(options(saved), silent = TRUE)
  for (name in new) {
    try(options(none_named(name)), silent = TRUE)
  }
}

# list(name = NULL), which options() takes as "remove this one".
none_named <- function(name) {
  empty <- list(NULL)
  names(empty) <- name
  empty
}
