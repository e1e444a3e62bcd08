# What a daemon does in R for each task. C++ calls evaluate(), which calls back
# to where the task's bytes are.

# Where C++ finds eval() under a name of our own: the frames of that name are
# where ours end and the user's begin in a stack trace.
evaluation_space <- function() {
  space <- new.env(parent = baseenv())
  assign(".tenkai_evaluate", eval, envir = space)
  space
}

# NULL when the task went well; else the error value that it resolves to. What
# the task ended with is looked at only when its frames are gone: within an
# error of a stack that is used up there is little room.
evaluate <- function() {
  ended <- .tenkai_perform()
  if (is.null(ended)) return()
  # R itself left to here, with the condition, its call and the handler.
  if (is.null(names(ended))) {
    .Call(tk_handling, FALSE)
    return(mirai_error(ended[[1L]], list()))
  }
  if (is.null(ended$calls)) return(mirai_interrupt())
  mirai_error(ended$condition, stack_trace(ended$calls))
}

# NULL, or the condition that ended the task, and for an error the calls it came
# from. The first error counts, not those of the task's on.exit() on the way
# out. The handlers leave by a promise to return from here, each by its own: one
# that is interrupted by another is not taken up again without a warning.
#
# C++ establishes the handlers: withCallingHandlers() and tryCatch() would take a
# third of the time of a short task. The name is one by which is_ours() knows it.
.tenkai_perform <- function() {
  ended <- leave <- NULL
  frame <- environment()
  end_with <- function(condition, calls) {
    if (is.null(ended)) {
      ended <<- list(condition = condition, calls = calls)
    }
    delayedAssign("leave", return(ended), frame)
    leave
  }
  calling <- list(
    error = function(condition) {
      .Call(tk_handling, FALSE)
      end_with(condition, sys.calls())
    },
    warning = function(condition) {
      if (is_ours(conditionCall(condition))) warn_without_call(condition)
    },
    interrupt = function(condition) {
      .Call(tk_handling, TRUE)
      end_with(condition, NULL)
    }
  )
  # Where the C stack is used up, R calls nothing in the frames it came from: it
  # leaves at once, and returns from here.
  .Call(tk_evaluate, calling, "stackOverflowError", frame)
}

# For what not even .tenkai_perform() could catch: a jump to the top level.
escaped <- function(interrupted) {
  if (interrupted) return(mirai_interrupt())
  jump <- simpleError("the task jumped to the top level of R")
  mirai_error(jump, list())
}

mirai_interrupt <- function() {
  structure("", class = c("miraiInterrupt", "errorValue", "try-error"))
}

mirai_error <- function(condition, trace) {
  call <- call_of(condition)
  message <- message_of(condition)
  text <- if (is.null(call) || is_ours(call)) {
    paste0("Error: ", message)
  } else {
    paste0("Error in ", deparse(call, nlines = 1L)[1L], ": ", message)
  }
  # As the task's author would see it on a terminal, when output = TRUE.
  cat(text, "\n", sep = "", file = stderr())
  if (is_ours(call)) condition <- without_call(condition)
  structure(text, stack.trace = trace, condition = condition,
            class = c("miraiError", "errorValue", "try-error"))
}

# One text, whatever the condition has for a message.
message_of <- function(condition) {
  field <- if (is.list(condition)) unclass(condition)[["message"]]
  message <- function(condition) as.character(conditionMessage(condition))
  said <- said_of(condition, message, if (is.character(field)) field else "")
  paste(said, collapse = "\n")
}

call_of <- function(condition) said_of(condition, conditionCall, NULL)

# What a condition says of itself, or `instead` where that fails: its method may
# be the task's own. Where it fails for a plain one, too, R no longer works here,
# and that is the error.
said_of <- function(condition, what, instead) {
  tryCatch(what(condition), error = function(e) {
    what(simpleCondition(""))
    instead
  })
}

# The same error without what is more than data: of its condition only the
# message, and what is as simple as that, are left.
plain_error <- function(failure) {
  condition <- attr(failure, "condition", exact = TRUE)
  if (is.null(condition)) return(failure)
  fields <- lapply(Filter(is.atomic, unclass(condition)), as.vector)
  fields$message <- message_of(condition)
  first <- c("message", intersect("call", names(condition)))
  call <- if ("call" %in% first) list(call = NULL)
  fields <- c(fields["message"], call, fields[!names(fields) %in% first])
  attr(failure, "condition") <- structure(fields, class = class(condition))
  failure
}

# Whether a call is that of a frame of ours, where R would name none: the task
# is at the top level, or its value could not be serialized.
is_ours <- function(call) {
  is_call_to(call, ".tenkai_evaluate") || is_call_to(call, ".tenkai_perform")
}

without_call <- function(condition) {
  if (!is.list(condition)) return(condition)
  plain <- unclass(condition)
  plain["call"] <- list(NULL)
  class(plain) <- class(condition)
  plain
}

# Warns again as if from the top level. Warnings that become errors need not:
# their call is looked at then.
warn_without_call <- function(condition) {
  restart <- computeRestarts(condition)
  muffle <- Find(function(each) each$name == "muffleWarning", restart)
  if (is.null(muffle) || !isTRUE(getOption("warn") < 2L)) return()
  warning(without_call(condition))
  invokeRestart(muffle)
}

# The frames of the user's code, innermost first, each as its source text where
# that was kept.
stack_trace <- function(calls) {
  ours <- which(vapply(calls, is_call_to, NA, ".tenkai_evaluate"))
  if (!length(ours)) return(list())
  # eval() makes two frames.
  first <- ours[length(ours)] + 1L
  handlers <- which(vapply(calls, is_handler, NA))
  handlers <- handlers[handlers >= first]
  last <- if (length(handlers)) handlers[1L] - 1L else length(calls)
  if (first > last) return(list())
  lapply(calls[last:first], frame_text)
}

# A call of the handlers above: of the function itself, or by R's own way of
# calling one for an error that has no condition yet.
is_handler <- function(call) {
  if (!is.call(call)) return(FALSE)
  called <- if (is_call_to(call, ".handleSimpleError", 1L)) call[[2L]] else
    call[[1L]]
  is.function(called) && !is.primitive(called) &&
    exists("end_with", environment(called), inherits = FALSE)
}

# Whether it is a call to what bears that name, with as many arguments or more.
is_call_to <- function(call, name, arguments = 0L) {
  is.call(call) && identical(call[[1L]], as.symbol(name)) &&
    length(call) > arguments
}

frame_text <- function(call) {
  # R's own call for a warning names the call that it is about.
  if (is_call_to(call, ".signalSimpleWarning", 2L)) {
    about <- call[[3L]]
    if (is.call(about) && length(about) == 2L && is_ours(about[[2L]])) {
      call[[3L]][2L] <- list(NULL)
    }
  }
  source <- attr(call, "srcref", exact = TRUE)
  lines <- if (is.null(source)) {
    deparse(call, nlines = 50L)
  } else {
    as.character(source)
  }
  paste(lines, collapse = "\n")
}
