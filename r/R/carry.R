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
