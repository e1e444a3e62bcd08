# Where mirai 2.7.3 answers otherwise than tenkai, which has the words of an earlier
# version: daemons() is TRUE or FALSE, a second call replaces what is set, any number
# of daemons connects at one URL, and launch_local() takes a number.

daemons <- function(n, url = NULL, remote = NULL, dispatcher = TRUE, ...,
                    sync = FALSE, seed = NULL, memory = NULL, serial = NULL,
                    tls = NULL, pass = NULL, .compute = NULL) {
  given <- known_to_tenkai(...)
  profile <- given$profile
  if (!missing(n) && is.null(url) && !sync) {
    if (is.null(n)) return(ended(NULL, .compute))
    check_daemons(n)
    if (n == 0L) return(ended(0L, .compute))
  } else if (missing(n) && is.null(url) && !sync && is.null(profile)) {
    stop("daemons() needs 'n' or 'url'", call. = FALSE)
  }
  if (!is.null(url) && !is.character(url)) {
    stop("'url' must be of type character, not ", typeof(url), call. = FALSE)
  }
  to_launch <- if (missing(n)) 1L else n
  if (!is.null(url)) n <- 1L
  # What a profile launches has places of its own.
  arguments <- list(dispatcher = dispatcher, sync = sync, seed = seed,
                    memory = bytes_of(memory), serial = serial, pass = pass,
                    url = if (!sync) url[1L], tls = tls, .compute = .compute,
                    open = isTRUE(dispatcher) && !sync && is.null(profile))
  if (!missing(n) && !sync) arguments$n <- n
  tenkai::daemons(0L, .compute = .compute)
  set <- do.call(tenkai::daemons, c(arguments, given))
  if (!is.null(url) && !is.null(remote)) {
    launch_all(to_launch, remote, .compute)
  }
  invisible(structure(TRUE, class = class(set)))
}

ended <- function(n, .compute) {
  tenkai::daemons(n, .compute = .compute)
  invisible(FALSE)
}

check_daemons <- function(n) {
  if (!is.numeric(n) || length(n) != 1L || is.na(n)) {
    stop("'n' must be numeric, did you mean to provide 'url'?", call. = FALSE)
  }
  if (n < 0) stop("the number of daemons must be zero or greater", call. = FALSE)
}

# Nothing stays set where one cannot be launched.
launch_all <- function(n, remote, .compute) {
  done <- FALSE
  on.exit(if (!done) tenkai::daemons(0L, .compute = .compute))
  launch_remote(n, remote, .compute = .compute)
  done <- TRUE
}

# What in `...` says something to tenkai; mirai passes over all else without a word.
known_to_tenkai <- function(...) {
  given <- list(...)
  own <- setdiff(names(formals(tenkai::daemons)), names(formals(daemons)))
  given[names(given) %in% c(own, names(of_daemons(...)))]
}

of_daemons <- function(...) {
  given <- list(...)
  known <- setdiff(names(formals(tenkai::daemon)),
                   c("url", "...", "tls", "rs", "credential"))
  given[names(given) %in% known & vapply(given, function(value) {
    length(value) == 1L && (is.numeric(value) || is.logical(value))
  }, NA)]
}

# Megabytes; none, or what is no number above 0, stands for no limit.
bytes_of <- function(memory) {
  if (is.null(memory) || is.na(memory) || memory <= 0) return(2^62)
  max(1, min(1e6 * memory, 2^62))
}

status <- function(.compute = NULL) {
  if (is.list(.compute)) .compute <- attr(.compute, "id")
  told <- tenkai::status(.compute)
  daemons <- told$daemons
  if (identical(daemons, 0L)) return(list(connections = 0L, daemons = 0L))
  if (is_here(.compute)) {
    return(list(connections = 0L, daemons = rownames(daemons)))
  }
  n <- if (is.matrix(daemons)) sum(daemons[, "online"]) else told$connections
  url <- tenkai::nextget("url", .compute)
  if (is_direct(.compute)) return(list(connections = n, daemons = url))
  counts <- tenkai::info(.compute)
  list(connections = as.integer(n), daemons = url,
       mirai = counts[c("awaiting", "executing", "completed")],
       memory = in_megabytes(told$memory, counts))
}

# Without a limit mirai does not count. What is kept for daemons that come later, as
# of everywhere(), is none of its tasks'.
in_megabytes <- function(memory, counts) {
  if (memory[["capacity"]] >= 2^61) return(memory * c(0, 0, NA))
  if (sum(counts[c("awaiting", "executing")]) == 0L) memory[["used"]] <- 0
  memory / 1e6
}

info <- function(.compute = NULL) {
  counts <- tenkai::info(.compute)
  if (is.null(counts)) return()
  if (is_here(.compute)) counts[1L] <- 0L
  if (is_here(.compute) || is_direct(.compute)) counts[-1L] <- NA
  counts
}

everywhere <- function(.expr, ..., .args = list(), .min = 1L, .compute = NULL) {
  require_daemons(.compute, environment())
  call <- sys.call()
  call[[1L]] <- tenkai::everywhere
  invisible(eval(call, parent.frame()))
}

require_daemons <- function(.compute = NULL, call = environment()) {
  if (!tenkai::daemons_set(.compute)) stop_d(.compute, call)
  invisible(TRUE)
}

race_mirai <- function(x, .compute = NULL) {
  if (!tenkai::daemons_set(.compute)) stop(unset(), call. = FALSE)
  invisible(tenkai::race_mirai(x))
}

daemon <- function(url, dispatcher = TRUE, ..., asyncdial = FALSE,
                   autoexit = TRUE, cleanup = TRUE, output = FALSE,
                   idletime = Inf, walltime = Inf, maxtasks = Inf,
                   tlscert = NULL, rs = NULL) {
  tenkai::daemon(url, autoexit = autoexit, cleanup = cleanup, output = output,
                 idletime = idletime, walltime = walltime, maxtasks = maxtasks,
                 tls = tlscert, rs = rs, ...)
}

# A number that is no code has no words.
nextcode <- function(xc) {
  if (is.numeric(xc) && !all(xc %in% 0:3)) return(character())
  tenkai::nextcode(xc)
}

nextget <- function(x, .compute = NULL) {
  switch(x,
         dispatcher = if (!is_direct(.compute)) tenkai::nextget("pid", .compute),
         tenkai::nextget(x, .compute))
}

unset <- function() "daemons must be set before this, by daemons()"

# Whether tasks are bound to daemons, without a queue.
is_direct <- function(.compute) {
  identical(tenkai::nextget("policy", .compute), "direct")
}

# Whether there is no daemon, but this session: daemons(sync = TRUE).
is_here <- function(.compute) {
  tenkai::daemons_set(.compute) && is.null(tenkai::nextget("urls", .compute))
}
