# What http_config() says of a Posit Workbench, for a session that runs in one. Its
# address and a cookie are in the environment; which clusters and resources it has, it
# is asked. A cookie of the session that is not taken any more is replaced by that of
# the browser.

posit_workbench_url <- function() {
  file.path(Sys.getenv("RS_SERVER_ADDRESS"), "api", "launch_job")
}

posit_workbench_headers <- function() {
  cookie_headers(.[["pwb_cookie"]])
}

cookie_headers <- function(cookie) {
  if (is.null(cookie)) cookie <- Sys.getenv("RS_SESSION_RPC_COOKIE")
  c(Cookie = cookie, "X-RS-Session-Server-RPC-Cookie" = cookie)
}

# The request for a job; a format for bodies(), with a %s for what the daemon runs.
posit_workbench_data <- function(rscript = "Rscript", job_name = "mirai_daemon",
                                 cluster = NULL, resource_profile = NULL,
                                 cpus = NULL, memory = NULL) {
  if (!requireNamespace("secretbase", quietly = TRUE)) {
    stop("asking a Posit Workbench for jobs needs the package secretbase, for ",
         "JSON: install.packages(\"secretbase\")", call. = FALSE)
  }
  place <- one_called(clusters_of_workbench(), cluster, "cluster")
  job <- c(list(cluster = place$name, container = list(image = place$defaultImage),
                name = job_name, exe = rscript),
           resources_of(place, resource_profile, cpus, memory))
  job <- rapply(job, doubled, "character", how = "replace")
  # There the same packages are found.
  libraries <- toString(encodeString(.libPaths(), quote = "\""))
  job$args <- c("-e", paste0("{.libPaths(c(", doubled(libraries), "));%s}"))
  secretbase::jsonenc(list(method = "launch_job", kwparams = list(job = job)))
}

doubled <- function(text) gsub("%", "%%", text, fixed = TRUE)

resources_of <- function(place, resource_profile, cpus, memory) {
  known <- place$resourceProfiles
  if (is.null(resource_profile) && length(c(cpus, memory))) {
    if (is.null(cpus)) cpus <- 1L
    if (is.null(memory)) memory <- 512L
    return(list(resources = list(cpus = cpus, memory = memory)))
  }
  if (is.null(resource_profile) && !length(known)) return()
  list(resourceProfile =
         one_called(known, resource_profile, "resource profile")$name)
}

# What the Workbench has by this name, or else the first.
one_called <- function(known, name, what) {
  if (!length(known)) {
    stop("this Posit Workbench has no ", what, " for jobs: ask whoever runs it, ",
         "or use cluster_config() or a compute profile", call. = FALSE)
  }
  if (is.null(name)) return(known[[1L]])
  names <- vapply(known, `[[`, "", "name")
  at <- match(name, names)
  if (!is.na(at)) return(known[[at]])
  stop(what, " '", name, "' not found. Available: ", toString(names), call. = FALSE)
}

# --- asking it ---

clusters_of_workbench <- function() {
  server <- Sys.getenv("RS_SERVER_ADDRESS")
  if (!nzchar(server) || !nzchar(Sys.getenv("RS_SESSION_RPC_COOKIE"))) {
    stop(not_in_workbench(), call. = FALSE)
  }
  endpoint <- "api/get_compute_envs"
  answer <- ncurl(file.path(server, endpoint), headers = cookie_headers(NULL),
                  timeout = http_timeout)
  if (!is_accepted(answer)) {
    answer <- posit_workbench_fetch(endpoint)
    if (!is_accepted(answer)) {
      stop("the Posit Workbench at ", server, " does not say which clusters it has ",
           "(GET ", endpoint, "): ", why_refused(answer), call. = FALSE)
    }
    assign("pwb_cookie", answer$cookie, .)
  }
  secretbase::jsondec(answer$data)$result$clusters
}

# As the user who looks at this session in a browser.
posit_workbench_fetch <- function(endpoint) {
  server <- Sys.getenv("RS_SERVER_ADDRESS")
  if (!nzchar(server) || !"tools:rstudio" %in% search()) {
    stop(not_in_workbench(), call. = FALSE)
  }
  cookie <- cookie_of_browser(as.environment("tools:rstudio"))
  answer <- ncurl(file.path(server, endpoint), headers = c(Cookie = cookie),
                  timeout = http_timeout)
  list(status = answer$status, cookie = cookie, data = answer$data)
}

# The browser sends it to a page of this machine, when that is shown in the viewer.
cookie_of_browser <- function(studio) {
  seen <- NULL
  page <- of_nanonext("handler")("/", function(request) {
    headers <- request$headers
    seen <<- headers[[match("cookie", tolower(names(headers)))]]
    list(status = 200L, body = "This session has asked the Posit Workbench for jobs.")
  })
  server <- of_nanonext("http_server")("http://127.0.0.1:0", list(page))
  on.exit(server$close())
  server$start()
  studio[[".rs.api.viewer"]](server$url)
  until <- Sys.time() + http_timeout / 1000
  while (is.null(seen) && Sys.time() < until) of_nanonext("run_event_loop")(1000L)
  if (is.null(seen)) {
    stop("the browser has not sent its cookie for the Posit Workbench within ",
         http_timeout / 1000, " s: open this session in it, and try again",
         call. = FALSE)
  }
  studio[[".rs.api.executeCommand"]]("activateConsole")
  seen
}

not_in_workbench <- function() {
  paste0("http_config() without 'url' and 'data' can only be used from Posit ",
         "Workbench, whose sessions have RS_SERVER_ADDRESS and ",
         "RS_SESSION_RPC_COOKIE in their environment; give 'url', 'headers' and ",
         "'data' for another server")
}
