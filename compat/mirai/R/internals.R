# What others reach in mirai 2.7.3 by :::, as far as it means something here.

# What is kept: the cookie of a browser (workbench.R), and, when loaded, what
# register_serial() has been told.
. <- new.env(parent = emptyenv())

# Errors are plain ones here, also where package cli is installed.
cli_enabled <- FALSE

stop_d <- function(.compute, call = NULL) {
  words <- if (is.character(.compute)) {
    sprintf("No daemons set for the '%s' compute profile.", .compute)
  } else {
    "No daemons set."
  }
  tryCatch(tenkai::require_daemons(.compute, call), error = function(condition) {
    condition$message <- paste0(words, "\n", conditionMessage(condition))
    stop(condition)
  })
}

mk_mirai_interrupt <- function() tenkai:::mirai_interrupt()

is.promising.mirai <- is.promising.mirai_map <- function(x) TRUE
