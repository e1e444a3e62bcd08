# What the flows about the truth of jobs share: launches by their profiles, what is
# told of them, and how long that took.
source("common.R")

slurm_says <- function(...) {
  suppressWarnings(system2(..., stdout = TRUE, stderr = TRUE))
}
order <- function(...) invisible(slurm_says(...))
launches <- function(name) {
  attr(hear(name, status(name)), "launches", exact = TRUE)
}
online <- function(name) sum(hear(name, status(name))$daemons[, "online"])
is_lost <- function(value) is_error_value(value) && as.integer(value) == 19L
told <- list() # the conditions, by profile

# Asks for the daemons of a profile; what is told of them later is kept.
begin <- function(name, ...) {
  if (is.null(told[[name]])) told[[name]] <<- list()
  hear(name, invisible(daemons(profile = name, ...)))
}

hear <- function(name, what) {
  withCallingHandlers(what, tenkai_launch_error = function(condition) {
    told[[name]] <<- c(told[[name]], list(condition))
    invokeRestart("muffleMessage")
  })
}

# Looks at many profiles until each of them holds what is expected, and notes when that
# was. `expected`: a function of a launch's row for each profile.
times_of <- function(expected, since, limit) {
  took <- setNames(rep(NA_real_, length(expected)), names(expected))
  wait_for(function() {
    for (name in names(expected)[is.na(took)]) {
      row <- launches(name)
      if (!is.null(row) && isTRUE(expected[[name]](row[1L, ]))) {
        took[name] <<- now() - since[[name]]
      }
    }
    !anyNA(took)
  }, limit, pause = 0.3, must = FALSE)
  took
}

# One launch that has failed: the row in status(), the condition, and the time.
check_failed <- function(sentence, name, cause, took, limit = 10, says = "",
                         where = "^n[0-9]$", job = "^[0-9]+_[0-9]+$", ...) {
  row <- launches(name)[1L, ]
  wait_for(function() {
    launches(name)
    length(told[[name]]) > 0L
  }, 5, must = FALSE)
  condition <- if (length(told[[name]])) told[[name]][[1L]] else list()
  fields <- c("state", "cause", "job", "where", "reason", "exit_code", "signal")
  more <- list(...)
  ok <- c(
    state = identical(row$state, "failed"), cause = identical(row$cause, cause),
    where = grepl(where, row$where), job = grepl(job, row$job),
    says = grepl(says, row$message),
    condition = inherits(condition, "tenkai_launch_error") &&
      identical(unclass(condition)[fields], as.list(row)[fields]),
    time = isTRUE(took <= limit),
    vapply(names(more), function(key) identical(row[[key]], more[[key]]), NA)
  )
  check(sprintf("%s: %s, after %.1f s", sentence, cause, took), all(ok))
  if (!all(ok)) {
    print(ok)
    print(as.list(row))
    str(unclass(condition)[fields])
  }
}

# A task that was lost: errorValue 19, with a message.
check_lost <- function(sentence, m, pattern, took, limit) {
  value <- m$data
  message <- if (is_lost(value)) attr(value, "message") else NA_character_
  ok <- is_lost(value) && grepl(pattern, message) && took <= limit
  check(sprintf("%s: '%s', after %.1f s", sentence, message, took), ok)
  if (!ok) print(list(value, attributes(value)))
}

# When each of some tasks was done, in seconds since `since`.
times_of_tasks <- function(tasks, since, limit) {
  took <- setNames(rep(Inf, length(tasks)), names(tasks))
  wait_for(function() {
    for (name in names(tasks)[is.infinite(took)]) {
      if (!unresolved(tasks[[name]])) took[name] <<- now() - since[[name]]
    }
    !any(is.infinite(took))
  }, limit, pause = 0.1, must = FALSE)
  took
}
