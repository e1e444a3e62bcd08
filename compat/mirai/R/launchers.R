# Launching, with the arguments that mirai 2.7.3 has.

launch_local <- function(n = 1L, ..., .compute = NULL) {
  check_can_launch(.compute, "daemons cannot be launched")
  tenkai::launch_local(n = n, ..., .compute = .compute)
  n
}

launch_remote <- function(n = 1L, remote = remote_config(), ...,
                          tlscert = NULL, .compute = NULL) {
  given <- of_daemons(...)
  by_http <- identical(remote$type, "http")
  if (inherits(n, c("miraiCluster", "miraiNode"))) {
    if (!by_http) return(tenkai::launch_remote(n, remote, ..., tls = tlscert))
    return(launch_by_http(tenkai:::slots_of(n), remote, given, tlscert, attr(n, "id")))
  }
  check_can_launch(.compute, "daemons cannot be launched elsewhere")
  if (by_http) {
    return(launch_by_http(places(n, .compute), remote, given, tlscert, .compute))
  }
  if (is.list(remote$args)) {
    if (!n %in% c(1, length(remote$args))) {
      stop("the number of daemons must equal the length of 'args', or be 1",
           call. = FALSE)
    }
    n <- length(remote$args)
  }
  do.call(tenkai::launch_remote,
          c(list(places(n, .compute), remote), given,
            list(tls = tlscert, .compute = .compute)))
}

# tenkai launches the nodes itself, other than by HTTP; then it prints commands, which
# nobody here needs.
make_cluster <- function(n, url = NULL, remote = NULL, ...) {
  if (!identical(remote$type, "http")) {
    return(tenkai::make_cluster(n, url, remote, ...))
  }
  utils::capture.output(cluster <- tenkai::make_cluster(n, url, ...))
  done <- FALSE
  on.exit(if (!done) tenkai::stop_cluster(cluster))
  launch_remote(cluster, remote)
  done <- TRUE
  cluster
}

# The numbers of the URLs for `n` daemons: the one that there is, or, of daemons that
# have a place each, those where none is online.
places <- function(n, .compute) {
  daemons <- tenkai::status(.compute)$daemons
  if (!is.matrix(daemons)) return(rep(1L, n))
  vacant <- which(daemons[, "online"] == 0L)
  if (length(vacant) < n) {
    stop(n, " daemons cannot be launched, ", length(vacant), " of the ",
         nrow(daemons), " places of this compute profile are free",
         call. = FALSE)
  }
  unname(vacant[seq_len(n)])
}

check_can_launch <- function(.compute, what) {
  if (!tenkai::daemons_set(.compute)) stop(unset(), call. = FALSE)
  if (is_here(.compute)) {
    stop(what, " for synchronous compute profiles (daemons(sync = TRUE))",
         call. = FALSE)
  }
}

# `quote` is FALSE, where that of tenkai is TRUE.
remote_config <- function(command = NULL, args = c("", "."),
                          rscript = "Rscript", quote = FALSE) {
  tenkai::remote_config(command, args, rscript, quote)
}

ssh_config <- function(remotes, tunnel = FALSE, timeout = 10, command = "ssh",
                       rscript = "Rscript") {
  arguments <- list(remotes, timeout, tunnel, rscript = rscript)
  # Where it is not named, tenkai connects by itself.
  if (!missing(command)) arguments$command <- command
  do.call(tenkai::ssh_config, arguments)
}

# Jobs of Slurm are tenkai's: arrays, causes, cancelled at the end. For other batch
# systems a script goes to the standard input of the command, as it stands.
cluster_config <- function(command = "sbatch", options = "",
                           rscript = "Rscript") {
  lines <- trimws(unlist(strsplit(options, "\n", fixed = TRUE)))
  if (basename(command[1L]) == "sbatch") {
    asked <- startsWith(lines, "#SBATCH")
    words <- trimws(sub("^#SBATCH", "", lines[asked]))
    words <- words[nzchar(words)]
    shell <- lines[!asked & nzchar(lines)]
    return(tenkai::slurm_config(
      options = if (length(words)) words, rscript = rscript,
      environment = if (length(shell)) list(prologue = shell) else list()
    ))
  }
  begin <- paste(c("<<'TENKAI'", "#!/bin/sh", lines, ""), collapse = "\n")
  tenkai::remote_config(command[1L], c(begin, ".", "\nTENKAI\n"), rscript,
                        quote = FALSE)
}
