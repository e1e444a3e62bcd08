# Daemons that a server launches which is asked over HTTP, such as a Posit Workbench
# (workbench.R).
#
# No shell hands them a credential: it stands in what the server is told to run, and
# there in the list of processes. So it is good for one daemon, once.

http_config <- function(url = posit_workbench_url, method = "POST",
                        headers = posit_workbench_headers,
                        data = posit_workbench_data, ..., cookie = NULL,
                        token = NULL) {
  list(type = "http", url = url, method = method, headers = headers,
       data = data, dots = list(...), cookie = cookie, token = token)
}

# One request for each of `slots`; what was answered. A credential is made only when
# all else is known.
launch_by_http <- function(slots, remote, given, tls, .compute) {
  url <- value_of(remote$url)
  data <- remote$data
  if (is.function(data)) data <- do.call(data, remote$dots)
  headers <- headers_of(remote)
  expressions <- do.call(tenkai:::daemon_expressions,
                         c(list(slots), given, list(tls = tls, .compute = .compute)))
  answers <- lapply(bodies(data, expressions), function(body) {
    ncurl(url, method = remote$method, headers = headers, data = body,
          timeout = http_timeout)
  })
  tell_refused(answers, remote$method, url)
  answers
}

# Milliseconds, for each request.
http_timeout <- 5000L

value_of <- function(given) if (is.function(given)) given() else given

headers_of <- function(remote) {
  token <- value_of(remote$token)
  c(value_of(remote$headers), Cookie = value_of(remote$cookie),
    Authorization = if (length(token)) paste("Bearer", token))
}

# `data` is a format of sprintf(), which would take no more than 8,192 bytes of it:
# each %s becomes the expression, as it stands in a string of JSON, and %% a %.
bodies <- function(data, expressions) {
  pieces <- strsplit(paste0(data, " "), "%%", fixed = TRUE)[[1L]]
  vapply(in_json(expressions), function(expression) {
    body <- paste(gsub("%s", expression, pieces, fixed = TRUE), collapse = "%")
    substr(body, 1L, nchar(body) - 1L)
  }, "", USE.NAMES = FALSE)
}

in_json <- function(text) {
  for (each in list(c("\\", "\\\\"), c("\"", "\\\""), c("\n", "\\n"))) {
    text <- gsub(each[1L], each[2L], text, fixed = TRUE)
  }
  text
}

# What comes of a launch is not known here; that it was refused is.
tell_refused <- function(answers, method, url) {
  fine <- vapply(answers, is_accepted, NA)
  if (all(fine)) return()
  warning("launching daemons by HTTP: ", sum(!fine), " of ", length(fine),
          " requests (", method, " ", url, ") failed: ",
          why_refused(answers[[which(!fine)[1L]]]), call. = FALSE)
}

is_accepted <- function(answer) {
  !is_error_value(answer$status) && answer$status %in% 200:299
}

# One line.
why_refused <- function(answer) {
  status <- answer$status
  if (is_error_value(status)) return(of_nanonext("nng_error")(status))
  said <- if (is.character(answer$data)) substr(answer$data[1L], 1L, 200L)
  paste0("status ", status, if (length(said) && nzchar(said)) {
    paste0(", ", gsub("[[:cntrl:][:space:]]+", " ", said))
  })
}

# --- its client, which package nanonext has ---

of_nanonext <- function(name) {
  if (requireNamespace("nanonext", quietly = TRUE)) {
    return(getExportedValue("nanonext", name))
  }
  stop("http_config() launches by the HTTP client of package nanonext, which is ",
       "not installed: install.packages(\"nanonext\"), or use cluster_config(), ",
       "ssh_config() or a compute profile", call. = FALSE)
}

# ncurl() stands where an import does, so that whoever exchanges that of mirai
# exchanges this; it is no import, since all else goes without nanonext.
.onLoad <- function(libname, pkgname) {
  assign("ncurl", function(...) of_nanonext("ncurl")(...),
         envir = parent.env(topenv()))
  makeActiveBinding("serial", function() tenkai:::registered$packages, .)
}
