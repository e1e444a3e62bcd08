#' How to launch daemons by MPI
#'
#' Describes daemons that a small program of tenkai starts by
#' `MPI_Comm_spawn_multiple`, for the argument `remote` of [daemons()] and
#' [launch_remote()]: on this machine, or over the nodes of a job that `mpirun`
#' finds by itself, as it does within Slurm. It is for places where `srun`
#' cannot start programs and nobody may log in to the nodes by SSH. It needs
#' Open MPI 4, here and when tenkai was built.
#'
#' @param listen `"all"`: Open MPI may listen at every address of this machine
#'   and of the nodes, as it always does, unencrypted. `"loopback"`: it is only
#'   run where there are no other addresses; elsewhere launching is refused.
#' @param program the program that starts MPI programs, a name or a path.
#' @param options further options of it, a character vector with one word each:
#'   `c("--hostfile", "hosts")`.
#' @param environment,threads,rscript as for [slurm_config()].
#' @return A list.
#' @details
#' Each daemon is a process of its own, which leaves MPI before R starts: one
#' that dies takes no other with it, and R is not bound to processors. The home
#' directory must be there on all nodes: what lets the daemons in stands in a
#' file of mode 0600 there, in `~/.cache/tenkai`.
#' @examples
#' mpi_config(options = c("--hostfile", "hosts"))
#'
#' \dontrun{
#' daemons(8, url = host_url(tls = TRUE), remote = mpi_config(listen = "all"))
#' }
#' @export
mpi_config <- function(listen = "loopback", program = "mpirun", options = NULL,
                       environment = list(), threads = NULL,
                       rscript = "Rscript") {
  if (!identical(listen, "loopback") && !identical(listen, "all")) {
    stop("'listen' must be \"loopback\" or \"all\", not ", describe(listen),
         call. = FALSE)
  }
  check_string(program, "program")
  check_string(rscript, "rscript")
  list(
    command = program, plugin = "mpi", rscript = rscript,
    credential = "file", chunk = "1",
    options = c(prefixed("mpi.", list(listen = listen, program = program,
                                      options = options)),
                environment_options(environment, threads))
  )
}
