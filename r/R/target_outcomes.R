# What becomes of the tasks of a controller for targets, see targets.R: those that take
# too long, the targets of those that have no value, and the sums.

# --- targets that may not take for ever ---

# The condition by which a task says that a daemon has begun with it.
beginning_of <- function(name) {
  structure(class = c("tenkai_began", "condition"),
            list(message = "", call = NULL, name = name))
}

relayed_by <- function(lane) {
  relay <- profile_of(lane)$relay %||% 0L
  names(sayings)[bitwAnd(relay, sayings) > 0L]
}

# Evaluates what looks for news of tasks. Any task may say anything.
hearing <- function(run, expr) {
  withCallingHandlers(expr, tenkai_began = function(condition) {
    name <- condition$name
    if (!is.character(name) || length(name) != 1L) return()
    timeout <- run$pushed[[name]]$timeout
    if (!is.null(timeout)) run$until[[name]] <- now() + timeout
  })
}

stop_late <- function(run) {
  late <- names(run$until)[run$until <= now()]
  run$until <- run$until[!names(run$until) %in% late]
  for (name in late) {
    if (has_stopped(run$tasks[[name]])) run$pushed[[name]]$late <- TRUE
  }
}

now <- function() proc.time()[["elapsed"]]

# --- the outcome of a task ---

outcome_of <- function(value, pushed, seconds) {
  ended <- list(result = list(value), status = "success", error = NA_character_,
                code = 0L, trace = NA_character_, warnings = NA_character_,
                seconds = seconds, seed = NA_integer_,
                algorithm = NA_character_)
  if (!is_error_value(value)) return(ended)
  if (isTRUE(pushed$late)) value <- too_late(pushed$timeout)
  ended$code <- if (is.numeric(value)) as.integer(value) else -1L
  ended$status <- status_of_code(ended$code)
  ended$error <- why_no_value(value)
  ended$trace <- trace_of(value)
  ended$result <- list(NA)
  failed <- failed_target(pushed$target, ended)
  if (is.null(failed)) return(ended)
  # The error is the target's, and so not one of the pipeline.
  ended$result <- list(failed)
  ended$error <- NA_character_
  ended
}

# Not "crash", which targets takes for "push it again": all attempts were made.
status_of_code <- function(code) if (code == 20L) "cancel" else "error"

too_late <- function(timeout) {
  structure(5L, class = "errorValue",
            message = paste0("timed out after ", number_text(timeout),
                             " s (seconds_timeout)"))
}

why_no_value <- function(value) {
  # Not by its generic: targets has loaded crew, and with it the methods of mirai.
  if (is_mirai_error(value)) return(harmless(conditionMessage.miraiError(value)))
  harmless(attr(value, "message", exact = TRUE) %||% error_text(value))
}

trace_of <- function(value) {
  frames <- attr(value, "stack.trace", exact = TRUE)
  if (!length(frames)) return(NA_character_)
  paste(rev(unlist(frames)), collapse = "\n")
}

# The target as targets itself would have it if its command had failed; NULL where it
# is none, or targets has become another.
failed_target <- function(target, ended) {
  if (!inherits(target, "tar_target")) return()
  inside <- getNamespace("targets")
  tryCatch({
    target$subpipeline <- NULL
    target$metrics <- inside$metrics_new(
      seconds = ended$seconds, error = ended$error,
      error_class = c("tenkai_target_error", "error", "condition"),
      traceback = if (is.na(ended$trace)) "No traceback available." else
        ended$trace
    )
    if (identical(target$settings$error, "null")) {
      target$value <- inside$value_init(NULL, target$settings$iteration)
      inside$target_reformat(target, "null")
    }
    target
  }, error = function(e) NULL)
}

# --- sums ---

no_sums <- list(seconds = 0, success = 0L, error = 0L, crash = 0L, cancel = 0L,
                warning = 0L)

added <- function(sums, ended) {
  way <- if (ended$code == 19L) "crash" else ended$status
  sums[[way]] <- sums[[way]] + 1L
  if (!is.na(ended$seconds)) sums$seconds <- sums$seconds + ended$seconds
  sums
}

# A row for each lane; NULL before it was started.
summary_of <- function(run) {
  if (is.null(run$sums)) return()
  rows <- lapply(names(run$sums), function(name) {
    sums <- run$sums[[name]]
    tasks <- sums$success + sums$error + sums$crash + sums$cancel
    data.frame(controller = name, seconds = sums$seconds, tasks = tasks,
               sums[-1L])
  })
  do.call(rbind, rows)
}
