#' How to launch daemons as Slurm jobs
#'
#' Describes jobs of the batch system Slurm for the argument `remote` of
#' [daemons()] and [launch_remote()]. What is needed again and again is better
#' written into a file once, as a compute profile, see [profile()].
#'
#' @param partition,account,qos,time,mem the options of `sbatch` of these names, as
#'   strings: `time = "1:30:00"`, `mem = "16G"` (for each node). `NULL`: the
#'   site's defaults.
#' @param cpus_per_task processors of one daemon.
#' @param gpus_per_task graphics processors of one daemon, `2` or `"a100:1"`.
#' @param nodes one job over so many nodes, which starts when all of them are
#'   free. `NULL`: an array of jobs, each of which starts as soon as there is
#'   room for it.
#' @param array_chunk how many daemons share one element of the array. `NULL`:
#'   one, and more where there are more than 64 daemons.
#' @param options further options of `sbatch`, such as `"--exclusive"`.
#' @param template a file with a template of the job script, see
#'   `docs/templates.md` of tenkai.
#' @param environment how R is set up there, a list by the names of profiles:
#'   `modules`, `conda`, `spack`, `apptainer`, `renv`, `lib-paths`,
#'   `working-directory`, `variables` (a named character vector), `prologue`
#'   (shell code).
#' @param threads threads of one daemon, for `OMP_NUM_THREADS` and the like:
#'   a number, `"auto"` (as many as it has processors), or `"none"`.
#' @param rscript the program that runs R there.
#' @param bring whether a job brings tenkai along to a node that has none, or
#'   another version, see below.
#' @return A list.
#' @details
#' A node needs nothing but R, and to see the session's folder, which is in
#' `~/.cache/tenkai`. Where the package or the program is missing, or is of
#' another version, the job takes those of this session from there into
#' `~/.cache/tenkai/VERSION`, once, as launches by [ssh_config()] do. What cannot
#' be brought is a launch that has failed with cause `package_missing` or
#' `program_missing`, and says why.
#'
#' A daemon ends after 5 minutes without a task, so that no job waits for nobody,
#' unless [daemons()] is given an `idletime`. Jobs are cancelled by `daemons(0)`
#' and when the session ends.
#' @examples
#' slurm_config(partition = "short", time = "30", mem = "4G", cpus_per_task = 2)
#'
#' \dontrun{
#' daemons(64, url = "wss://:0", remote = slurm_config(time = "2:00:00"))
#' }
#' @export
slurm_config <- function(partition = NULL, account = NULL, qos = NULL,
                         time = NULL, mem = NULL, cpus_per_task = NULL,
                         gpus_per_task = NULL, nodes = NULL,
                         array_chunk = NULL, options = NULL, template = NULL,
                         environment = list(), threads = NULL,
                         rscript = "Rscript", bring = TRUE) {
  check_string(rscript, "rscript")
  check_flag(bring, "bring")
  slurm <- list(
    partition = partition, account = account, qos = qos, time = time,
    mem = mem, "cpus-per-task" = cpus_per_task,
    "gpus-per-task" = gpus_per_task, nodes = nodes,
    options = options,
    template = if (!is.null(template)) normalizePath(template, mustWork = TRUE)
  )
  chunk <- array_chunk %||% 0
  check_number(chunk, "array_chunk")
  list(
    command = "sbatch", plugin = "slurm", rscript = rscript,
    credential = "file", chunk = whole(min(chunk, 2^31)),
    options = c(prefixed("slurm.", slurm),
                environment_options(environment, threads),
                if (rscript != "Rscript") list(environment.rscript = rscript),
                if (!bring) list(bring = "0")),
    limits = list(idletime = 300000)
  )
}

# Nothing waits in a queue here: the daemons come soon, or there is a reason. As in
# await_daemons(), as long as another has come within `limit` seconds.
await_steps <- function(profile, n, limit = 60) {
  failed <- NULL
  most <- 0L
  last_came <- proc.time()[[3L]]
  withCallingHandlers(
    repeat {
      reply <- ask(profile$link, "await", timeout = 500, limit = 5000)
      late <- is_error_value(reply) && unclass(reply) == 5L
      if (!is.null(failed)) stop(failed)
      online <- as.integer(attr(reply, "payload") %||% 0L)
      if (online > most) last_came <- proc.time()[[3L]]
      most <- max(most, online)
      if (!late || proc.time()[[3L]] - last_came > limit) break
    },
    tenkai_launch_error = function(condition) {
      if (inherits(condition, "error")) return()
      failed <<- condition
      class(failed) <<- c("tenkai_launch_error", "error", "condition")
      failed$message <<- sub("\n$", "", sub("^tenkai: ", "", failed$message))
      invokeRestart("muffleMessage")
    }
  )
  if (is_error_value(reply) && !late) {
    stop(reason_of(reply), call. = FALSE)
  }
  if (late) warn_late(attr(reply, "payload"), n, limit)
}

# What a profile has under `environment` and `threads`.
environment_options <- function(environment, threads) {
  is_named <- length(environment) == 0L ||
    (!is.null(names(environment)) && all(nzchar(names(environment))))
  if (!is.list(environment) || !is_named) {
    stop("'environment' must be a list such as list(modules = \"R/4.3\"), not ",
         if (is.list(environment)) "one without names" else
           describe(environment), call. = FALSE)
  }
  if (length(environment$prologue)) {
    environment$prologue <- paste(environment$prologue, collapse = "\n")
  }
  variables <- as.list(environment$variables)
  if (length(variables)) names(variables) <- paste0("variables.", names(variables))
  environment <- c(environment[names(environment) != "variables"], variables)
  c(prefixed("environment.", environment),
    if (!is.null(threads)) list(threads = plain_text(threads, "threads")))
}

prefixed <- function(prefix, values) {
  values <- values[!vapply(values, is.null, NA)]
  texts <- lapply(names(values), function(name) plain_text(values[[name]], name))
  structure(texts, names = paste0(rep(prefix, length(values)), names(values)))
}

plain_text <- function(value, name) {
  if (is.numeric(value) && length(value) == 1L && !is.na(value)) {
    if (value == round(value)) return(whole(value))
    stop("'", name, "' must be a whole number, not ", value, call. = FALSE)
  }
  if (is.character(value) && length(value) && !anyNA(value)) return(value)
  stop("'", name, "' must be text or a number, not ", describe(value),
       call. = FALSE)
}
