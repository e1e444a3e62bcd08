#' Launch the workers of another package as jobs of a profile
#'
#' Describes how mirai (the real package), or another one that runs a command for each
#' of its workers, launches them by `tenkai carry`: as jobs of a compute profile, with
#' its environment and limits, in arrays, and with the reason where one does not come.
#' They connect to whoever has launched them, and not to tenkai. They end with this
#' session.
#'
#' @param profile the name of a compute profile in a file, see [profile()], which
#'   launches elsewhere (`launcher: slurm`, `ssh`).
#' @param rscript the program that runs R there.
#' @return A list with `command`, `args`, `rscript`, `quote` and `tunnel`, as
#'   `remote` of `mirai::daemons()` takes it: the element `"."` of `args` stands for the
#'   command of a worker.
#' @details
#' Commands of one session and profile that come within 0.3 s of each other are one
#' launch. What becomes of them is written to standard error, such as
#' `tenkai carry: worker 3: rscript_missing: 'Rscript' was not found on n1`. On the
#' command line, `tenkai carry --help` says more.
#' @seealso [tenkai_controller()] for targets, [use_as_mirai()]
#' @examples
#' carry("gpu")
#'
#' \dontrun{
#' mirai::daemons(8, url = mirai::host_url(tls = TRUE), remote = tenkai::carry("gpu"))
#' }
#' @export
carry <- function(profile, rscript = "Rscript") {
  check_string(profile, "profile")
  check_string(rscript, "rscript")
  list(
    command = find_program(),
    args = c("carry", "--profile", shQuote(profile), "--session",
             whole(Sys.getpid()), "."),
    rscript = rscript, quote = TRUE, tunnel = FALSE
  )
}

#' A controller of package crew whose workers are jobs of a profile
#'
#' For pipelines of targets, and other code, that stays with crew: it keeps its client,
#' and its workers are launched by [carry()]. [tenkai_controller()] needs no crew, and
#' has the causes of deaths in `tar_meta()`.
#'
#' @param profile,rscript as for [carry()].
#' @param workers the most workers at a time.
#' @param ... arguments of `crew::crew_client()`, such as `host`, of
#'   `crew::crew_controller()`, such as `crashes_max`, and of the launchers of crew, such
#'   as `seconds_idle` and `tasks_max`, by name.
#' @return A controller of crew.
#' @details
#' What crosses the network is encrypted (`tls` of crew), unless another `tls` is given.
#' A job may wait for half an hour before crew launches another one in its place
#' (`seconds_launch`).
#' @examples
#' \dontrun{
#' targets::tar_option_set(controller = tenkai::carry_crew("cpu", workers = 8))
#' }
#' @export
carry_crew <- function(profile, workers = 1L, ..., rscript = "Rscript") {
  carried <- carry(profile, rscript)
  check_number(workers, "workers", minimum = 1)
  crew <- tryCatch(asNamespace("crew"), error = function(condition) {
    stop("carry_crew() needs the package crew: ", conditionMessage(condition),
         call. = FALSE)
  })
  usual <- list(
    name = profile, workers = as.integer(workers), seconds_interval = 0.25,
    seconds_timeout = 60, seconds_launch = 1800, seconds_idle = 300,
    seconds_wall = Inf, tasks_max = Inf, tasks_timers = 0L,
    r_arguments = c("--no-save", "--no-restore"),
    tls = crew$crew_tls(mode = "automatic"),
    options_metrics = crew$crew_options_metrics()
  )
  given <- utils::modifyList(usual, list(...))
  call_with <- function(f, ..., like = f) {
    of_launcher <- if (!identical(f, like)) c("name", "workers")
    known <- setdiff(names(formals(like)), c("name", "workers"))
    do.call(f, c(list(...), given[intersect(names(given), c(known, of_launcher))]))
  }
  launcher <- call_with(launcher_class(carried, crew, given$r_arguments)$new, like =
                          crew$crew_class_launcher$public_methods$initialize)
  controller <- call_with(crew$crew_controller, launcher = launcher,
                          client = call_with(crew$crew_client))
  controller$validate()
  controller
}

launcher_class <- function(carried, crew, r_arguments) {
  asNamespace("R6")$R6Class(
    "tenkai_launcher", inherit = crew$crew_class_launcher,
    public = list(launch_workers = function(call, n) {
      command <- paste(c(carried$rscript, r_arguments, "-e",
                         shQuote(call)), collapse = " ")
      args <- c(utils::head(carried$args, -1L), "--workers", whole(n),
                shQuote(command))
      system2(carried$command, args, wait = FALSE)
      NULL
    })
  )
}
