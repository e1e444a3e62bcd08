# The URLs of this machine, as mirai 2.7.3 gives them.

# One for each address, named by its interface; daemons() takes the first.
host_url <- function(tls = FALSE, port = 0) {
  known <- strsplit(tenkai:::addresses(), " ", fixed = TRUE)
  interface <- vapply(known, `[`, "", 1L)
  address <- vapply(known, `[`, "", 2L)
  reached <- interface != "lo" & !grepl(":", address, fixed = TRUE)
  if (!any(reached)) return(c(host = tenkai::host_url(tls = tls, port = port)))
  urls <- vapply(address[reached], function(host) {
    tenkai::host_url(tls = tls, port = port, host = host)
  }, "")
  stats::setNames(urls, interface[reached])
}

local_url <- function(tcp = FALSE, port = 0) {
  if (tcp) return(tenkai::host_url(port = port, host = "127.0.0.1"))
  tenkai::local_url()
}
