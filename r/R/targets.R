#' Controllers for targets
#'
#' Runs the targets of a pipeline of package targets on daemons: `tar_make()` takes
#' a controller in place of one of package crew, which has to be installed, and does
#' no more than that. `tenkai_controller_group()` makes one of several, and each
#' target says where it runs.
#'
#' @param profile the name of a [profile()] in a file, as for [daemons()]. `NULL`:
#'   none.
#' @param n the number of daemons. `NULL`: as the profile says.
#' @param ... for `tenkai_controller()`: more arguments for [daemons()], by name,
#'   such as `retries` or `relay`; with `sync = TRUE` targets run in this process, where
#'   `browser()` works. For `tenkai_controller_group()`: controllers.
#' @param name the name of the controller, and of the compute profile that it uses.
#'   `NULL`: the name of `profile`, or `"default"`. In a group each has another.
#'
#' @return An environment of class `tenkai_controller`, with the functions that
#'   targets calls.
#'
#' @details
#' Daemons are set when the first target is to run, and end with `tar_make()`. They keep
#' the packages that a target has attached, as those of crew do, if `cleanup` of
#' [daemon()] says nothing else. Where daemons are set already for the compute profile,
#' by that name, they are used as they are, and stay: `profile`, `n` and `...` do not
#' count then. Each gets a target more than it runs, so that none waits for another.
#'
#' A target runs in the working directory of the session, where its daemon has a folder
#' of that name.
#'
#' A target whose daemon dies is tried again as `retries` of [daemons()] says. If it
#' then has no value, or for any other reason that lies not in its command, the
#' reason is its error: it is in `targets::tar_meta(fields = error)`, and what comes
#' of it is what the option `error` of the target says. The condition that
#' `tar_make()` ends with has the class `tenkai_target_error`.
#'
#' In a group the first controller has all targets whose resources name none. The
#' time of `seconds_timeout` of `targets::tar_resources_crew()` begins when a daemon
#' begins with the target, and not while it waits for one; then the target is stopped
#' as by [stop_mirai()].
#'
#' @seealso [daemons()], [profile()]
#' @examples
#' controller <- tenkai_controller(n = 2)
#' controller
#' tenkai_controller_group(
#'   tenkai_controller(n = 2, name = "cpu"),
#'   tenkai_controller(n = 1, name = "gpu")
#' )
#'
#' # In _targets.R:
#' \dontrun{
#' targets::tar_option_set(controller = tenkai::tenkai_controller(n = 4))
#' targets::tar_option_set(
#'   controller = tenkai::tenkai_controller(profile = "cpu"),
#'   resources = targets::tar_resources(
#'     crew = targets::tar_resources_crew(controller = "cpu")
#'   )
#' )
#' }
#' @export
tenkai_controller <- function(profile = NULL, n = NULL, ..., name = profile) {
  if (!is.null(profile)) check_string(profile, "profile")
  if (!is.null(n)) check_number(n, "n", minimum = 1)
  if (!is.null(name)) check_string(name, "name")
  name <- name %||% "default"
  arguments <- list(profile = profile, n = n, ...)
  check_daemon_arguments(arguments)
  lane <- list(arguments = arguments[!vapply(arguments, is.null, NA)])
  new_controller(structure(list(lane), names = name))
}

#' @rdname tenkai_controller
#' @export
tenkai_controller_group <- function(...) {
  controllers <- list(...)
  for (each in controllers) {
    if (inherits(each, "tenkai_controller")) next
    stop("'...' must be controllers of tenkai_controller(), not ",
         describe(each), call. = FALSE)
  }
  if (!length(controllers)) stop("'...' must be one controller or more",
                                 call. = FALSE)
  lanes <- do.call(c, lapply(unname(controllers), function(each) {
    run_of(each$id)$lanes
  }))
  twice <- anyDuplicated(names(lanes))
  if (twice) {
    stop("two controllers of a group have the name '", names(lanes)[twice],
         "': give each a 'name' of its own", call. = FALSE)
  }
  new_controller(lanes)
}

#' @export
print.tenkai_controller <- function(x, ...) {
  names <- names(run_of(x$id)$lanes)
  cat("< tenkai controller | ", paste(harmless(names), collapse = ", "), " >\n",
      sep = "")
  invisible(x)
}

check_daemon_arguments <- function(arguments) {
  names <- names(arguments)
  known <- setdiff(c(names(formals(daemons)), names(formals(daemon))),
                   c("...", ".compute", "dispatcher"))
  wrong <- setdiff(names, known)
  if (!length(wrong)) return()
  stop("'...' must be named arguments of daemons(), not ",
       if (nzchar(wrong[1L])) paste0("'", wrong[1L], "'") else "without a name",
       call. = FALSE)
}

# --- what a controller is ---

# Controllers by number. An environment for each, a run:
#   lanes    by the names of compute profiles: `arguments` of daemons(), and once it
#            runs `size`, how many targets it takes, and whether it has set daemons
#   started  whether it runs
#   tasks    the mirais that were not popped yet, by the names of their targets
#   pushed   for each of them: lane, target, timeout in seconds; `late` where that has
#            passed
#   until    when time is up for those that have begun and have a timeout
#   busy     how many were pushed and not popped, by lane
#   backlog  names of targets that are to come again, by lane
#   sums     of each lane: seconds, and how many have ended in which way
#
# They are here, and not in the controller, because targets sends a controller that is
# a global object to every daemon; all that goes is its number.
controllers <- new.env(parent = emptyenv())

new_controller <- function(lanes) {
  id <- next_controller()
  run <- controllers[[id]] <- new.env(parent = emptyenv())
  run$lanes <- lanes
  run$started <- FALSE
  controller <- controller_of(id)
  reg.finalizer(controller, function(gone) {
    if (!isTRUE(controllers[[gone$id]]$started)) rm(list = gone$id,
                                                   envir = controllers)
  })
  controller
}

next_controller <- function() {
  found$controllers <- (found$controllers %||% 0L) + 1L
  number_text(found$controllers)
}

# With the names and arguments by which targets calls them.
controller_of <- function(id) {
  methods <- list(
    id = id,
    validate = function() invisible(run_of(id)),
    start = function() start_run(run_of(id)),
    saturated = function(controller = NULL) {
      is_saturated(run_of(id), controller)
    },
    push_backlog = function(name, controller = NULL) {
      put_back(run_of(id), name, controller)
    },
    pop_backlog = function() take_backlog(run_of(id)),
    push = function(command, data = list(), globals = list(),
                    substitute = TRUE, name, controller = NULL, scale = TRUE,
                    throttle = TRUE, seconds_timeout = NULL) {
      if (substitute) command <- substitute(command)
      push_task(run_of(id), command, data, globals, name, controller,
                seconds_timeout)
    },
    wait = function(mode = "one", seconds_timeout = Inf, scale = TRUE,
                    throttle = TRUE) {
      wait_for_task(run_of(id), mode, seconds_timeout)
    },
    pop = function(scale = TRUE, throttle = TRUE) pop_task(run_of(id)),
    empty = function() !length(run_of(id)$tasks),
    summary = function() summary_of(run_of(id)),
    terminate = function() end_run(run_of(id))
  )
  structure(list2env(methods, parent = emptyenv()), class = "tenkai_controller")
}

run_of <- function(id) {
  controllers[[id]] %||%
    stop("this controller is of another R session, where it has its daemons",
         call. = FALSE)
}

# --- start and end ---

start_run <- function(run) {
  if (run$started) return(invisible())
  forget_tasks(run)
  run$backlog <- lapply(run$lanes, function(lane) character())
  run$sums <- lapply(run$lanes, function(lane) no_sums)
  run$started <- TRUE
  done <- FALSE
  on.exit(if (!done) end_run(run))
  for (name in names(run$lanes)) {
    lane <- run$lanes[[name]]
    run$lanes[[name]]$sets <- !daemons_set(name)
    if (!daemons_set(name)) set_lane(name, lane$arguments)
    run$lanes[[name]]$size <- size_of(profile_of(name))
  }
  done <- TRUE
  invisible()
}

set_lane <- function(name, arguments) {
  if (!any(c("n", "profile", "url", "sync") %in% names(arguments))) {
    stop("the controller '", name, "' has no daemons: give ",
         "tenkai_controller() 'n' or 'profile', or call daemons(n, ",
         ".compute = \"", name, "\") before", call. = FALSE)
  }
  # Most targets attach the same packages, which takes longer than a small one.
  if (!"cleanup" %in% names(arguments)) arguments$cleanup <- 1 + 4
  do.call(daemons, c(arguments, list(.compute = name)))
}

# One that runs, and one that is there already when it ends, for each daemon that
# there may be.
size_of <- function(profile) 2L * max(1L, profile$n + (profile$spare %||% 0L))

forget_tasks <- function(run) {
  run$tasks <- run$pushed <- list()
  run$until <- numeric()
  run$busy <- vapply(run$lanes, function(lane) 0L, 0L)
}

end_run <- function(run) {
  if (!run$started) return(invisible())
  run$started <- FALSE
  stop_mirai(run$tasks)
  forget_tasks(run)
  for (name in names(run$lanes)) {
    if (isTRUE(run$lanes[[name]]$sets)) daemons(0L, .compute = name)
    run$lanes[[name]]$sets <- FALSE
  }
  invisible()
}

# --- what waits to be pushed ---

# With a single controller the name that resources say is of no interest.
lane_name <- function(run, controller) {
  names <- names(run$lanes)
  if (is.null(controller) || length(names) == 1L) return(names[1L])
  if (controller %in% names) return(controller)
  stop("there is no controller '", controller, "' in the group, only ",
       paste0("'", names, "'", collapse = ", "), call. = FALSE)
}

# How many more targets a lane takes now.
room_of <- function(run, name) {
  max(0L, run$lanes[[name]]$size - run$busy[[name]])
}

is_saturated <- function(run, controller) {
  room_of(run, lane_name(run, controller)) == 0L
}

put_back <- function(run, name, controller) {
  lane <- lane_name(run, controller)
  run$backlog[[lane]] <- c(run$backlog[[lane]], name)
  invisible()
}

take_backlog <- function(run) {
  taken <- lapply(names(run$lanes), function(lane) {
    waiting <- run$backlog[[lane]]
    first <- seq_len(min(length(waiting), room_of(run, lane)))
    run$backlog[[lane]] <- waiting[setdiff(seq_along(waiting), first)]
    waiting[first]
  })
  as.character(unlist(taken))
}

# --- tasks ---

push_task <- function(run, command, data, globals, name, controller,
                      seconds_timeout) {
  check_string(name, "name")
  start_run(run)
  if (!is.null(run$tasks[[name]])) {
    stop("there is a task '", name, "' already: wait for it, and pop() it",
         call. = FALSE)
  }
  if (!is.null(seconds_timeout)) {
    check_number(seconds_timeout, "seconds_timeout")
  }
  lane <- lane_name(run, controller)
  is_timed <- !is.null(seconds_timeout)
  data$.tenkai_folder <- getwd()
  if (is_timed) data$.tenkai_began <- beginning_of(name)
  relay <- if (is_timed) union("condition", relayed_by(lane))
  expr <- steps_of(command, is_timed, inherits(data$target, "tar_target"))
  run$pushed[[name]] <- list(lane = lane, target = data$target,
                             timeout = seconds_timeout)
  globals <- list2env(as.list(globals), parent = emptyenv())
  run$tasks[[name]] <- hearing(run, mirai(
    expr, globals, .args = data, .compute = lane, .relay = relay
  ))
  run$busy[[lane]] <- run$busy[[lane]] + 1L
  invisible(run$tasks[[name]])
}

# What a task does: targets finds its files below the folder of the session, and the
# time of a target does not count what happens once on each daemon.
steps_of <- function(command, is_timed, is_target) {
  as.call(c(
    as.symbol("{"),
    quote(if (base::dir.exists(.tenkai_folder)) base::setwd(.tenkai_folder)),
    if (is_timed && is_target) quote(base::loadNamespace("targets")),
    if (is_timed) quote(base::signalCondition(.tenkai_began)),
    list(command)
  ))
}

# Whether there is one to pop.
wait_for_task <- function(run, mode, seconds) {
  if (!identical(mode, "one")) {
    stop("'mode' must be \"one\", not ", describe(mode), call. = FALSE)
  }
  invisible(length(run$tasks) > 0L && first_of(run, seconds) > 0L)
}

# The place of a task that has resolved, or 0 after so many seconds.
first_of <- function(run, seconds) {
  end <- now() + seconds
  repeat {
    stop_late(run)
    limit <- min(end, run$until) - now()
    i <- hearing(run, .Call(tk_race, run$tasks,
                            if (is.finite(limit)) max(0, limit)))
    if (i > 0L || now() >= end) return(i)
  }
}

# NULL, or what has come of a task.
pop_task <- function(run) {
  i <- if (length(run$tasks)) first_of(run, 0) else 0L
  if (i == 0L) return()
  name <- names(run$tasks)[i]
  m <- run$tasks[[i]]
  pushed <- run$pushed[[name]]
  run$tasks[[i]] <- run$pushed[[name]] <- NULL
  run$until <- run$until[names(run$until) != name]
  run$busy[[pushed$lane]] <- run$busy[[pushed$lane]] - 1L
  value <- m$data
  ended <- outcome_of(value, pushed, m$usage[["seconds"]] %||% NA_real_)
  run$sums[[pushed$lane]] <- added(run$sums[[pushed$lane]], ended)
  c(list(name = name, controller = pushed$lane), ended)
}
