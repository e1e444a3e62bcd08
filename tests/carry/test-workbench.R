# http_config() of the package mirai of tenkai: real requests, to a server that answers as
# a Posit Workbench does (workbench.py), and daemons that it starts.
tenkai::use_as_mirai()
library(mirai)

wait_for <- function(condition, seconds = 100) {
  until <- Sys.time() + seconds
  while (!condition() && Sys.time() < until) Sys.sleep(0.05)
  condition()
}

# A Workbench whose sessions have this cookie; its folder.
set_workbench <- function(cookie = "good", frame = parent.frame()) {
  folder <- tempfile("workbench-")
  dir.create(folder)
  server <- pipe(paste("exec python3 workbench.py", shQuote(folder)), "w")
  do.call(on.exit, list(bquote({
    mirai::daemons(0)
    close(.(server))
    unlink(.(folder), recursive = TRUE)
    Sys.unsetenv(c("RS_SERVER_ADDRESS", "RS_SESSION_RPC_COOKIE"))
    assign("pwb_cookie", NULL, mirai:::.)
  })), envir = frame)
  address <- file.path(folder, "address")
  if (!wait_for(function() file.exists(address))) stop("python3 does not listen")
  Sys.setenv(RS_SERVER_ADDRESS = readLines(address), RS_SESSION_RPC_COOKIE = cookie)
  folder
}

requests <- function(folder) {
  lapply(readLines(file.path(folder, "requests")), secretbase::jsondec)
}

job_of <- function(request) secretbase::jsondec(request$body)$kwparams$job

all_come <- function(n) wait_for(function() status()$connections == n)

test_that("a Posit Workbench launches daemons, which work", {
  folder <- set_workbench()
  set <- daemons(2, url = "tls+tcp://127.0.0.1:0", remote = http_config(cpus = 2))
  expect_true(set)
  expect_true(all_come(2L))
  expect_identical(mirai(6 * 7)[], 42)

  seen <- requests(folder)
  expect_identical(vapply(seen, `[[`, "", "method"), c("GET", "POST", "POST"))
  expect_identical(unique(vapply(seen, `[[`, "", "path")),
                   c("/api/get_compute_envs", "/api/launch_job"))
  for (request in seen) {
    expect_identical(request$headers[["Cookie"]], "good")
    expect_identical(request$headers[["X-RS-Session-Server-RPC-Cookie"]], "good")
  }
  job <- job_of(seen[[2L]])
  expect_identical(job[c("cluster", "name", "exe")],
                   list(cluster = "first", name = "mirai_daemon", exe = "Rscript"))
  expect_identical(job$container$image, "r:100%s")
  expect_equal(job$resources, list(cpus = 2, memory = 512))
})

test_that("what a job was told lets one daemon in, once", {
  folder <- set_workbench()
  daemons(1, url = "tls+tcp://127.0.0.1:0", remote = http_config())
  expect_true(all_come(1L))
  job <- job_of(requests(folder)[[2L]])
  expect_identical(job$resourceProfile, "small")

  said <- suppressWarnings(system2(job$exe, shQuote(unlist(job$args)), stdout = TRUE,
                                   stderr = TRUE, timeout = 100))
  expect_match(said, "has been used already", all = FALSE)
  expect_identical(status()$connections, 1L)
  # That of a command that is printed is another one, and good for any number.
  for (i in 1:2) system(launch_remote(1), wait = FALSE)
  expect_true(all_come(3L))
})

test_that("it launches without a dispatcher's queue, too", {
  set_workbench()
  daemons(url = "tls+tcp://127.0.0.1:0", dispatcher = FALSE)
  launch_remote(1, remote = http_config(cluster = "bare"))
  expect_identical(mirai("here", .timeout = 1e5)[], "here")
})

test_that("the nodes of a cluster come, too", {
  set_workbench()
  cluster <- make_cluster(2, url = "tls+tcp://127.0.0.1:0", remote = http_config())
  on.exit(stop_cluster(cluster), add = TRUE, after = FALSE)
  expect_identical(parallel::clusterApply(cluster, 1:2, function(i) i * 10), list(10, 20))
  expect_error(make_cluster(1, url = "tls+tcp://127.0.0.1:0", remote = http_config(cluster = "no")),
               "cluster 'no' not found")
})

test_that("where the cookie is not taken, that of the browser is", {
  folder <- set_workbench(cookie = "old")
  shown <- new.env()
  shown$.rs.api.viewer <- function(url) {
    shown$request <- nanonext::ncurl_aio(url, headers = c(Cookie = "browser"), timeout = 5000L)
  }
  shown$.rs.api.executeCommand <- function(command) shown$command <- command
  attach(shown, name = "tools:rstudio")
  on.exit(detach("tools:rstudio"), add = TRUE)
  daemons(1, url = "tls+tcp://127.0.0.1:0", remote = http_config())
  expect_true(all_come(1L))
  expect_identical(shown$command, "activateConsole")
  expect_identical(vapply(requests(folder), function(request) request$headers[["Cookie"]], ""),
                   c("old", "browser", "browser"))
})

test_that("any other server is asked as it was said", {
  folder <- set_workbench()
  remote <- http_config(
    url = function() paste0(Sys.getenv("RS_SERVER_ADDRESS"), "/plain"),
    data = function(of) paste0("{\"share\": \"100%% of %%s\", \"of\": \"", of,
                               "\", \"command\": \"%s\"}"),
    of = "all", headers = c(`X-Key` = "k"), token = function() "token"
  )
  daemons(url = "tls+tcp://127.0.0.1:0")
  answers <- launch_remote(1, remote = remote)
  expect_identical(answers[[1L]]$status, 200L)
  expect_true(all_come(1L))
  request <- requests(folder)[[1L]]
  expect_identical(request$headers[c("X-Key", "Authorization")],
                   list(`X-Key` = "k", Authorization = "Bearer token"))
  expect_identical(secretbase::jsondec(request$body)[c("share", "of")],
                   list(share = "100% of %s", of = "all"))
})

test_that("what is refused is told, and what is not there named", {
  set_workbench()
  daemons(url = "tls+tcp://127.0.0.1:0")
  refused <- http_config(headers = c(Cookie = "nobody's"))
  expect_warning(answers <- launch_remote(2, remote = refused),
                 "2 of 2 requests \\(POST http://127.*api/launch_job\\) failed: status 401, .*no session")
  expect_identical(answers[[2L]]$status, 401L)
  expect_warning(launch_remote(1, remote = http_config("http://127.0.0.1:1", data = "%s")),
                 "1 of 1 requests .*: .*[Rr]efused")
  expect_error(launch_remote(1, remote = http_config(cluster = "no")),
               "cluster 'no' not found. Available: first, bare")
  expect_error(launch_remote(1, remote = http_config(resource_profile = "large")),
               "resource profile 'large' not found. Available: small")
})

test_that("outside of a Posit Workbench that is said, and nothing stays set", {
  set_workbench()
  Sys.unsetenv("RS_SERVER_ADDRESS")
  expect_error(daemons(1, url = "tls+tcp://127.0.0.1:0", remote = http_config()),
               "can only be used from Posit Workbench, whose sessions have RS_SERVER_ADDRESS")
  expect_false(daemons_set())
})
