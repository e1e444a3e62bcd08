# Promises for mirais, for whoever has the package promises.

# S3 methods for generics of a package that need not be there.
register_promises <- function() {
  register <- function(...) {
    space <- asNamespace("promises")
    if (!is_generic(space$is.promising)) .Call(tk_name_promise)
    registerS3method("as.promise", "mirai", as_promise, envir = space)
    registerS3method("is.promising", "mirai", is_promising, envir = space)
  }
  if (isNamespaceLoaded("promises")) register()
  setHook(packageEvent("promises", "onLoad"), register)
}

is_promising <- function(x) TRUE

# Before promises 1.3 it looked for the class of a promise and asked no method, so
# that a mirai which a step of a chain returned was not waited for.
is_generic <- function(f) "UseMethod" %in% all.names(body(f))

# Fulfilled with the value (or an interrupt), rejected with any other error.
as_promise <- function(x) {
  promises::promise(function(resolve, reject) {
    settle <- function() {
      value <- x$data
      if (!is_error_value(value) || is_mirai_interrupt(value)) {
        resolve(value)
      } else if (is_mirai_error(value)) {
        reject(attr(value, "condition") %||% as.character(value))
      } else {
        why <- attr(value, "message", exact = TRUE)
        reject(paste(c(error_words(value), why), collapse = ": "))
      }
    }
    when_resolved(x, settle, pause = 0.001)
  })
}

# Calls `settle` when the mirai has its value. A later that can watch a
# descriptor wakes when something comes from the dispatcher, and now and then,
# because another call may have read it; an older one looks less and less often.
when_resolved <- function(mirai, settle, pause) {
  if (!unresolved(mirai)) return(settle())
  again <- function(...) when_resolved(mirai, settle, min(2 * pause, 0.1))
  fd <- .Call(tk_mirai_fd, mirai)
  if (fd >= 0L && "later_fd" %in% getNamespaceExports("later")) {
    watch <- getExportedValue("later", "later_fd")
    watch(again, readfds = fd, timeout = 0.25)
  } else {
    later::later(again, pause)
  }
}
