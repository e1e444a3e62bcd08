#' URLs for daemons to connect at
#'
#' `host_url()` makes a URL for daemons on other machines, `local_url()` one for
#' daemons on this machine.
#'
#' @param ws use WebSockets, `ws://`: several daemons share one port.
#' @param tls use the encrypted form, `wss://` or `tls+tcp://`.
#' @param port a port; 0 stands for any that is free. Two ports are a range, of
#'   which a free one is chosen, for sites where only some are open.
#' @param host the name or address under which this machine is reached, or the
#'   name of one of its network interfaces, such as `"ib0"`. `NULL`: its host
#'   name. Where that is an address of this machine alone, as Debian's
#'   `/etc/hosts` has it (`127.0.1.1`), [daemons()] says so, and which others
#'   there are.
#' @return A URL.
#' @examples
#' host_url()
#' host_url(ws = TRUE, port = 5555)
#' host_url(host = "127.0.0.1", port = c(60000, 63000))
#' local_url()
#' @export
host_url <- function(ws = FALSE, tls = FALSE, port = 0, host = NULL) {
  scheme <- if (ws) { if (tls) "wss" else "ws" } else
    if (tls) "tls+tcp" else "tcp"
  name <- if (is.null(host)) Sys.info()[["nodename"]] else host_address(host)
  paste0(scheme, "://", name, ":", choose_port(port))
}

#' @rdname host_url
#' @export
local_url <- function() paste0("abstract://", random_hex())

random_hex <- function() .Call(tk_random_hex, 12L)

# An interface's address, IPv4 first; a name or an address stays as it is.
host_address <- function(host) {
  check_string(host, "host")
  known <- strsplit(addresses(), " ", fixed = TRUE)
  interfaces <- vapply(known, `[`, "", 1L)
  addresses <- vapply(known, `[`, "", 2L)
  if (host %in% addresses || grepl("[.:]", host) || host == "localhost" ||
      identical(host, Sys.info()[["nodename"]])) {
    return(bracketed(host))
  }
  mine <- addresses[interfaces == host]
  if (length(mine)) {
    return(bracketed(mine[order(grepl(":", mine, fixed = TRUE))][1L]))
  }
  stop("'host' is \"", host, "\", which is no interface or address of this ",
       "machine. It has: ",
       paste(interfaces, addresses, collapse = ", "), call. = FALSE)
}

# "eth0 192.0.2.1" for each; compat/mirai reads it, too.
addresses <- function() .Call(tk_addresses)

bracketed <- function(address) {
  if (grepl(":", address, fixed = TRUE) && !startsWith(address, "[")) {
    return(paste0("[", address, "]"))
  }
  address
}

choose_port <- function(port) {
  if (!is.numeric(port) || !length(port) %in% 1:2 || anyNA(port) ||
      any(port < 0 | port > 65535)) {
    stop("'port' must be one port from 0 to 65535, or two for a range, not ",
         describe(port), call. = FALSE)
  }
  if (length(port) == 1L) return(as.integer(port))
  free <- setdiff(seq.int(port[1L], port[2L]), .Call(tk_ports_in_use))
  if (!length(free)) {
    stop(sprintf("no port from %.0f to %.0f is free", port[1L], port[2L]),
         call. = FALSE)
  }
  # Not with R's generator, whose state is the user's.
  random <- strtoi(substr(random_hex(), 1L, 7L), 16L)
  as.integer(free[random %% length(free) + 1L])
}
