# Clusters of package parallel, whose nodes are daemons.
#
# A node is one R process with a state: what clusterExport() leaves there is for
# what comes later. So each call is sent to the daemon at the slot of its node,
# and to no other; where that has died, so has the node.

#' Make a cluster
#'
#' `make_cluster()` makes a cluster of R processes for the functions of package
#' parallel, such as [parallel::parLapply()], [parallel::clusterApplyLB()],
#' [parallel::clusterExport()] and [parallel::clusterSetRNGStream()], and for
#' what is built on them, such as foreach with doParallel. `stop_cluster()` ends
#' it, and so does [parallel::stopCluster()].
#'
#' @param n the number of nodes. Where `remote` names the machines, as
#'   [ssh_config()] does, it is their number; with any other `url`, 1 if not
#'   said.
#' @param url the one URL at which nodes from other machines connect, such as
#'   [host_url()]. `NULL`: the nodes are on this machine.
#' @param remote how to launch the nodes, from [ssh_config()], [slurm_config()],
#'   [mpi_config()] or [remote_config()]. `NULL`, with `url`: the shell commands
#'   that start them are printed, to be run on the other machines.
#' @param ... further arguments of [daemons()], such as `tls`, `seed` or
#'   `kill_after`, and of [daemon()], such as `output = TRUE`.
#' @param cl a cluster that `make_cluster()` has made.
#' @param default `TRUE`: the type is also the one that
#'   [parallel::makeCluster()] uses where none is said.
#'
#' @return `make_cluster()`: an object of classes `miraiCluster` and `cluster`,
#'   a list of its nodes. `stop_cluster()` and `register_cluster()`: invisible
#'   `NULL`.
#'
#'   Errors: of `make_cluster()` those of [daemons()]. Where a node has died, or
#'   dies, the functions of parallel raise an error that names it and says of
#'   what it died; that node does nothing more, and the others go on. With a
#'   cluster that was stopped the error is "cluster is no longer active".
#'   `register_cluster()` needs R 4.4.
#'
#' @details The nodes are the daemons of a compute profile of their own. Its
#' name is the ID of the cluster, which printing shows: [status()] takes the
#' cluster, too, and so does [launch_remote()], which shows the commands that
#' start its nodes (or one of them, of a node).
#'
#' Each node is one R process, which keeps what is left in it (global objects,
#' packages, the state of the random numbers) until the cluster ends. With
#' [parallel::clusterSetRNGStream()] it draws the numbers that a node of a PSOCK
#' cluster of the same size would. Nodes are not started again, and calls are
#' not tried again: what the node had been given before is gone with it.
#'
#' A node that has not joined yet is waited for where the cluster is first used.
#' After Ctrl-C in a function of parallel the cluster is as good as new: what
#' still runs on a node is interrupted when the node is given something else,
#' and its value is dropped.
#'
#' `register_cluster()` makes the type known to [parallel::makeCluster()] of R
#' 4.4 and later, under the name `"TENKAI"`: `makeCluster(4, type = "TENKAI")`.
#' In R 4.4 it has the name `"MIRAI"`, too, and that is the one which `default`
#' is about. From R 4.5 on `makeCluster(type = "MIRAI")` is for the package
#' mirai, and calls that one whatever else is registered; so there is only
#' `"TENKAI"`.
#'
#' @seealso [daemons()]
#' @examples
#' cl <- make_cluster(2)
#' cl
#' offset <- 10
#' parallel::clusterExport(cl, "offset", environment())
#' parallel::parSapply(cl, 1:4, function(x) x + offset)
#' status(cl)
#' stop_cluster(cl)
#' @export
make_cluster <- function(n, url = NULL, remote = NULL, ...) {
  more <- cluster_options(...)
  if (!is.null(remote)) check_remote(remote)
  # A launcher that can start any number has to know which daemon is which.
  counted <- !missing(n) && !is.null(remote) && !is.list(remote$args)
  if (is.null(url)) {
    if (missing(n) || !is.numeric(n) || length(n) != 1L || is.na(n)) {
      stop("'n' must be numeric, did you mean to provide 'url'?", call. = FALSE)
    }
    if (!is.null(remote)) {
      stop("'remote' needs a 'url' at which the nodes connect, such as ",
           "host_url(tls = TRUE)", call. = FALSE)
    }
  } else {
    if (length(url) != 1L) {
      stop("only one 'url' should be specified", call. = FALSE)
    }
    if (is.list(remote$args)) n <- length(remote$args)
    if (missing(n)) n <- 1L
    check_number(n, "n", minimum = -Inf)
  }
  if (n < 1) stop("'n' must be 1 or greater", call. = FALSE)
  if (n > .Machine$integer.max) {
    stop("'n' must be a number of nodes, not ", n, call. = FALSE)
  }
  n <- as.integer(n)
  id <- free_id()
  do.call(daemons, c(list(n), list(url = url, remote = remote), more,
                     list(dispatcher = counted, resilience = FALSE,
                          retries = 0, cleanup = FALSE, respawn = FALSE,
                          .compute = id)))
  cluster <- new_cluster(id, n)
  if (!is.null(url) && is.null(remote)) {
    cat("Shell commands for deployment on nodes:\n\n")
    print(launch_remote(cluster))
  }
  cluster
}

#' @rdname make_cluster
#' @export
stop_cluster <- function(cl) {
  if (!inherits(cl, "miraiCluster")) {
    stop("'cl' must be a cluster of make_cluster(), not ", describe(cl),
         call. = FALSE)
  }
  common <- common_of(cl)
  if (is_active(common)) daemons(0L, .compute = common$id)
  invisible()
}

#' @rdname make_cluster
#' @export
register_cluster <- function(default = TRUE) {
  check_flag(default, "default")
  if (getRversion() < "4.4") {
    stop("this function requires R version 4.4 or newer", call. = FALSE)
  }
  register <- getExportedValue("parallel", "registerClusterType")
  mirai_is_taken <- getRversion() >= "4.5"
  register("TENKAI", make_cluster, default && mirai_is_taken)
  if (!mirai_is_taken) register("MIRAI", make_cluster, default)
  invisible()
}

#' @export
print.miraiCluster <- function(x, ...) {
  cat("< miraiCluster | ID: ", attr(x, "id"), " nodes: ", length(x),
      " active: ", is_active(common_of(x)), " >\n", sep = "")
  invisible(x)
}

#' @export
print.miraiNode <- function(x, ...) {
  cat("< miraiNode | node: ", attr(x, "node"), " cluster ID: ", attr(x, "id"),
      " >\n", sep = "")
  invisible(x)
}

#' @export
`[.miraiCluster` <- function(x, ...) {
  structure(unclass(x)[...], class = class(x), id = attr(x, "id"))
}

# --- the cluster and its nodes ---

# What make_cluster() decides by itself is not for `...`.
cluster_options <- function(...) {
  options <- list(...)
  ours <- c("dispatcher", "resilience", "cleanup", "respawn", "retries",
            "profile", "sync", ".compute")
  taken <- intersect(names(options), ours)
  if (length(taken)) {
    stop("'", taken[1L], "' cannot be given to make_cluster(): a node is one ",
         "R process that keeps its state, and is not replaced", call. = FALSE)
  }
  options
}

# "`0`" for the first one of a session, and so on.
# No cluster is meant by the name of one that has ended.
free_id <- function() {
  found$clusters <- (found$clusters %||% -1L) + 1L
  sprintf("`%d`", found$clusters)
}

# What its nodes share is an environment: `id`, `profile`, `n`, and whether all
# have `joined`. A node is one, too: `number`, `common`, and, from a call until
# its value is taken, the `mirai` of it and its `tag`.
new_cluster <- function(id, n) {
  common <- new.env(parent = emptyenv())
  common$id <- id
  common$n <- n
  common$profile <- profiles[[id]]
  common$joined <- FALSE
  nodes <- lapply(seq_len(n), function(number) {
    node <- new.env(parent = emptyenv())
    node$number <- number
    node$common <- common
    structure(node, class = "miraiNode", node = number, id = id)
  })
  structure(nodes, class = c("miraiCluster", "cluster"), id = id)
}

common_of <- function(cluster) {
  if (length(cluster)) unclass(cluster)[[1L]]$common
}

# The name may be another cluster's by now.
is_active <- function(common) {
  !is.null(common) && identical(profiles[[common$id]], common$profile)
}

# What stands for the profile of a cluster where a name is expected, as in
# status().
name_of_profile <- function(x) if (is_of_cluster(x)) attr(x, "id") else x

# The numbers of the URLs of its nodes, or of one node.
slots_of <- function(x) {
  nodes <- if (inherits(x, "miraiNode")) list(x) else unclass(x)
  if (isTRUE(profiles[[attr(x, "id")]]$one_url)) return(rep(1L, length(nodes)))
  vapply(nodes, function(node) node$number, 0L)
}

is_of_cluster <- function(x) inherits(x, c("miraiCluster", "miraiNode"))

check_active <- function(common) {
  if (!is_active(common)) stop("cluster is no longer active", call. = FALSE)
  if (!common$joined) await_nodes(common)
}

# Until so many have joined as there are nodes; interruptible. Whether they are
# still there is seen where they are used.
await_nodes <- function(common) {
  told <- FALSE
  repeat {
    reply <- ask(common$profile$link, "await", slot = common$n, timeout = 1000,
                 limit = 1000 * (common$n + 5))
    late <- is_error_value(reply) && unclass(reply) == 5L
    if (is_error_value(reply) && !late) stop(reason_of(reply), call. = FALSE)
    if (!late) break
    check_launches(common)
    if (!told) {
      message("tenkai: waiting for the nodes of cluster ", common$id)
      told <- TRUE
    }
  }
  common$joined <- TRUE
}

# Where nobody is on the way any more, waiting would be for ever.
check_launches <- function(common) {
  launches <- attr(status(common$id), "launches", exact = TRUE)
  if (is.null(launches) || !nrow(launches)) return()
  coming <- launches$state %in% c("asked", "submitted", "pending", "starting")
  failed <- launches[nzchar(launches$cause), ]
  if (any(coming) || !nrow(failed)) return()
  stop("not all nodes of cluster ", common$id, " can come: launch ",
       failed$launch[1L], " has failed: ", harmless(failed$cause[1L]), ", ",
       harmless(failed$message[1L]), call. = FALSE)
}

# --- the methods that parallel calls ---

# The arguments are found where the call is evaluated.
node_call <- quote(base::do.call(fun, args, quote = TRUE))

#' @exportS3Method parallel::sendData
sendData.miraiNode <- function(node, data) {
  common <- node$common
  check_active(common)
  if (!identical(data$type, "EXEC")) return(invisible())
  # Left there by a call that was interrupted.
  if (!is.null(node$mirai)) stop_mirai(node$mirai)
  what <- data$data
  node$mirai <- .Call(tk_submit_to, common$profile$link, node$number, node_call,
                      list(), what[c("fun", "args")])
  node$tag <- what$tag
  if (is.null(node$mirai)) {
    stop("this process was forked from the session, and the cluster is the ",
         "session's: make_cluster() makes one here", call. = FALSE)
  }
}

#' @exportS3Method parallel::recvData
recvData.miraiNode <- function(node) {
  check_active(node$common)
  if (is.null(node$mirai)) {
    stop("node ", node$number, " of cluster ", node$common$id, " has nothing ",
         "to do, so no value of it comes", call. = FALSE)
  }
  call_mirai(node$mirai)
  take_value(node)
}

#' @exportS3Method parallel::recvOneData
recvOneData.miraiCluster <- function(cl) {
  check_active(common_of(cl))
  first <- first_resolved(lapply(cl, .subset2, "mirai"))
  if (first == 0L) {
    stop("the nodes of cluster ", attr(cl, "id"), " have nothing to do, so no ",
         "value of them comes", call. = FALSE)
  }
  list(node = first, value = take_value(cl[[first]]))
}

#' @exportS3Method parallel::stopCluster
stopCluster.miraiCluster <- function(cl) stop_cluster(cl)

# The number of a mirai in this list that has its value, waited for; what is
# NULL is passed over, and 0 where all are.
first_resolved <- function(mirais) .Call(tk_race, mirais, NULL)

# As recvResult() and recvOneResult() of parallel take it apart.
take_value <- function(node) {
  value <- node$mirai$data
  node$mirai <- NULL
  if (is.integer(value) && is_error_value(value)) {
    value <- end_of_node(node, value)
  } else if (is_mirai_error(value)) {
    # As from a node of sockets: the call is one of do.call(), and says nothing.
    value[1L] <- message_of(attr(value, "condition", exact = TRUE))
  }
  list(value = value, tag = node$tag)
}

# parallel shows the text of what inherits from try-error.
end_of_node <- function(node, value) {
  why <- attr(value, "message", exact = TRUE)
  text <- paste(c(error_words(value), harmless(why)), collapse = ": ")
  structure(
    paste0("node ", node$number, " of cluster ", node$common$id, ": ", text),
    class = c("miraiError", "errorValue", "try-error")
  )
}
