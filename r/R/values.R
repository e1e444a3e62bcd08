#' Test for mirai objects and error values
#'
#' @param x an object.
#' @return `TRUE` or `FALSE`. `is_error_value()` is `TRUE` for anything a mirai
#'   resolves to that is not a value: errors of the evaluation
#'   (`is_mirai_error()`), interrupts (`is_mirai_interrupt()`), time-outs and
#'   lost connections.
#' @examples
#' m <- mirai(stop("oh"))
#' is_mirai(m)
#' call_mirai(m)
#' is_mirai_error(m$data)
#' is_mirai_interrupt(m$data)
#' is_error_value(m$data)
#' m$data$stack.trace
#' daemons(0)
#' @name is_mirai
NULL

#' @rdname is_mirai
#' @export
is_mirai <- function(x) inherits(x, "mirai")

#' @rdname is_mirai
#' @export
is_mirai_error <- function(x) inherits(x, "miraiError")

#' @rdname is_mirai
#' @export
is_mirai_interrupt <- function(x) inherits(x, "miraiInterrupt")

#' @rdname is_mirai
#' @export
is_error_value <- function(x) inherits(x, "errorValue")

#' @export
print.miraiError <- function(x, ...) {
  cat("'miraiError' chr ", harmless(x), "\n", sep = "")
  invisible(x)
}

#' @export
print.miraiInterrupt <- function(x, ...) {
  cat("'miraiInterrupt' chr \"\"\n")
  invisible(x)
}

#' @export
print.errorValue <- function(x, ...) {
  cat("'errorValue' int ", error_words(x), "\n", sep = "")
  message <- attr(x, "message", exact = TRUE)
  if (!is.null(message)) {
    lines <- strsplit(harmless(message), "\n", fixed = TRUE)[[1L]]
    writeLines(paste0("  ", lines))
  }
  invisible(x)
}

#' @export
print.unresolvedValue <- function(x, ...) {
  cat("'unresolved' logi NA\n")
  invisible(x)
}

# What is shown of a text from elsewhere: whatever would steer a terminal, all
# control characters but the end of a line and the tab, becomes \x1b and the like,
# and so does what shows a text in another order than it has; bytes that are no
# UTF-8 become <ff>.
harmless <- function(text) {
  text <- as.character(text)
  text[!is.na(text)] <- escape_control(text[!is.na(text)])
  text
}

escape_control <- function(text) {
  text <- enc2utf8(text)
  Encoding(text) <- "UTF-8"
  text <- iconv(text, "UTF-8", "UTF-8", sub = "byte")
  control <- paste0("[\\x01-\\x08\\x0b-\\x1f\\x7f\\x{80}-\\x{9f}",
                    "\u202a-\u202e\u2066-\u2069]")
  if (!any(grepl(control, text, perl = TRUE))) return(text)
  found <- gregexpr(control, text, perl = TRUE)
  regmatches(text, found) <- lapply(regmatches(text, found), function(each) {
    if (!length(each)) return(each)
    code <- vapply(each, utf8ToInt, 0L)
    sprintf(ifelse(code > 0xff, "\\u%04x", "\\x%02x"), code)
  })
  text
}

# Why the dispatcher says no, by its answer to ask().
reason_of <- function(reply) {
  harmless(attr(reply, "message", exact = TRUE) %||% error_words(reply))
}

# The fields of its condition are attributes of an error, see name_fields() in
# C++. Those that mean something to R as attributes are in the condition alone.
#' @export
`$.miraiError` <- function(x, name) {
  attr(x, name, exact = FALSE) %||%
    field_of(attr(x, "condition", exact = TRUE), name)
}

field_of <- function(condition, name) {
  if (is.list(condition)) unclass(condition)[[name]]
}

#' @rawNamespace S3method(utils::.DollarNames, miraiError)
.DollarNames.miraiError <- function(x, pattern = "") {
  fields <- names(attr(x, "condition", exact = TRUE))
  fields <- setdiff(union(names(attributes(x)), fields), c("class", "names", ""))
  grep(pattern, fields, value = TRUE)
}

#' @export
conditionMessage.miraiError <- function(c) {
  message <- attr(c, "message", exact = TRUE)
  if (is.character(message) && length(message) == 1L) return(message)
  condition <- attr(c, "condition", exact = TRUE)
  if (!inherits(condition, "condition")) return(as.character(c))
  message_of(condition)
}

#' @export
conditionCall.miraiError <- function(c) attr(c, "call", exact = TRUE)

# The condition that ended a task, or one that says why there is no value.
condition_of <- function(value) {
  condition <- attr(value, "condition", exact = TRUE)
  if (inherits(condition, "condition")) return(condition)
  simpleError(error_text(value))
}

# An error value of any kind in words.
error_text <- function(value) {
  if (is_mirai_interrupt(value)) return("the task was interrupted")
  if (!is.numeric(value)) return(paste(as.character(value), collapse = "\n"))
  why <- attr(value, "message", exact = TRUE)
  paste(c(error_words(value), why), collapse = ": ")
}

# "5 | Timed out"
error_words <- function(code) .Call(tk_error_words, as.integer(code))
