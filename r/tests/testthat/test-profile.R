with_profiles <- function(..., envir = parent.frame()) {
  file <- tempfile(fileext = ".yaml")
  writeLines(c("profiles:", ...), file)
  Sys.chmod(file, "600")
  before <- Sys.getenv("TENKAI_CONFIG", NA)
  Sys.setenv(TENKAI_CONFIG = file)
  do.call(on.exit, list(bquote({
    unlink(.(file))
    if (is.na(.(before))) Sys.unsetenv("TENKAI_CONFIG") else
      Sys.setenv(TENKAI_CONFIG = .(before))
  }), add = TRUE), envir = envir)
}

test_that("a profile in a file says how many daemons there are, and what they are called", {
  with_profiles("  two:", "    daemons: 2",
                "    limits: {maxtasks: 1}", "    retries: {default: 1, oom: 2}")
  expect_error(daemons(profile = "two", retries = "many"), "'retries' must be a number")
  expect_equal(as.integer(daemons(profile = "two")), 2L)
  on.exit(daemons(0, .compute = "two"), add = TRUE)
  pids <- list(mirai(Sys.getpid(), .compute = "two"), mirai(Sys.getpid(), .compute = "two"))
  expect_length(unique(vapply(pids, value_of, 1L)), 2L)
  # maxtasks: 1 has ended them.
  expect_true(wait_for(function() all(status("two")$daemons[, "online"] == 0)))
  daemons(0, .compute = "two")
  expect_equal(as.integer(daemons(1, profile = "two", .compute = "other")), 1L)
  daemons(0, .compute = "other")
})

test_that("a local daemon with more memory than its profile allows is killed", {
  with_profiles("  small:", "    daemons: 2", "    limits: {memory: 300M}")
  daemons(profile = "small")
  on.exit(daemons(0, .compute = "small"), add = TRUE)
  go <- file.path(set_folder(), "go")
  beside <- mirai({
    while (!file.exists(go)) Sys.sleep(0.01)
    "there"
  }, go = go, .compute = "small")
  value <- value_of(mirai({
    x <- lapply(1:150, function(i) {
      Sys.sleep(0.01)
      rep(as.numeric(i), 1e6)
    })
    length(x)
  }, .compute = "small"))
  expect_true(is_error_code(value, 19L))
  expect_match(reason_of(value), paste0(
    "^daemon [12] was killed: OUT_OF_MEMORY \\(it had [0-9.]+ [MG]iB, and ",
    "limits.memory allows 300 MiB\\) while it ran this task$"
  ))
  file.create(go)
  expect_identical(value_of(beside), "there")
})

test_that("a key under the name it had before is read, with a warning", {
  with_profiles("  p: {launcher: slurm, slurm: {carrier: comment}}")
  expect_warning(found <- profile("p"), "slurm.carrier is called slurm.job-tag now")
  expect_equal(found$options[["slurm.job-tag"]], "comment")
})

test_that("no more is launched for a profile than its site allows", {
  with_profiles("  cmd:", "    launcher: command",
                "    command: {program: sh, args: [-c, .]}")
  set_daemons(2, url = "ws://127.0.0.1:0")
  remote <- profile("cmd")
  # As a site's file would have it.
  remote$most <- 1
  expect_error(launch_remote(1:2, remote = remote),
               "the site allows 1 daemon for a profile, not 2 (cap 'daemons'",
               fixed = TRUE)
  expect_length(launch_remote(1, remote = remote), 1L)
})

test_that("daemons of a profile are ended without reading it", {
  file <- tempfile(fileext = ".yaml")
  writeLines("profiles: {mine: {daemons: 2}}", file)
  Sys.chmod(file, "600")
  Sys.setenv(TENKAI_CONFIG = file)
  on.exit(Sys.unsetenv("TENKAI_CONFIG"))
  expect_equal(c(daemons(profile = "mine")), 2L, ignore_attr = TRUE)
  writeLines("profiles: {mine: {daemons: }", file)
  expect_equal(daemons(0, profile = "mine"), 0L)
  expect_equal(status("mine")$connections, 0L)
  expect_equal(daemons(NULL, profile = "mine"), 0L)
  expect_equal(status("mine")$connections, 0L)
  writeLines("profiles: {mine: {launcher: slurm, daemons: 2}}", file)
  expect_error(launch_remote(profile = "mine"), "no daemons are set under the name 'mine'")
  expect_error(daemons(Inf), "'n' must be a number of daemons, not Inf")
})

test_that("objects have the profile() of their packages", {
  skip_if_not_installed("stats4")
  counts <- c(26, 17, 13, 12, 20, 5)
  fit <- stats4::mle(function(rate) -sum(stats::dpois(counts, rate, log = TRUE)),
                     start = list(rate = 15))
  expect_s4_class(profile(fit), "profile.mle")
})

test_that("a profile launches by what it says", {
  with_profiles("  cmd:", "    launcher: command", "    daemons: 2",
                "    command: {program: sh, args: [-c, .]}")
  daemons(profile = "cmd")
  on.exit(daemons(0, .compute = "cmd"), add = TRUE)
  m <- mirai(7 * 6, .compute = "cmd", .timeout = 30000)
  expect_equal(value_of(m), 42)
  launches <- attr(status("cmd"), "launches")
  expect_equal(launches$by, c("command", "command"))
})

test_that("what is wrong with profiles is an error with the place", {
  with_profiles("  p:", "    demons: 2")
  expect_error(daemons(profile = "p"), ":3:5: .*daemons")
  with_profiles("  p: {launcher: ssh, ssh: {remotes: [ssh://a]}}", "  q: {}")
  expect_error(daemons(profile = "nix"), "there is no profile 'nix'")
  expect_error(daemons(profile = "q"), "does not say how many daemons")
  expect_error(daemons(profile = 3), "profile")
  expect_equal(profile("p")$each, list(list(remote = "ssh://a")))
})

test_that("slurm_config() says to the plugin what a profile would", {
  config <- slurm_config("short", time = "1:30:00", cpus_per_task = 2,
                         environment = list(modules = c("R/4.3", "gcc"), variables = c(A = "b")))
  expect_equal(config$options[["slurm.partition"]], "short")
  expect_equal(config$options[["slurm.cpus-per-task"]], "2")
  expect_equal(config$options[["environment.modules"]], c("R/4.3", "gcc"))
  expect_equal(config$options[["environment.variables.A"]], "b")
  expect_error(slurm_config(partition = NA), "partition")
  expect_error(slurm_config(environment = "R"), "environment")
  expect_error(slurm_config(environment = list("R/4.3")), "without names")
  expect_error(slurm_config(cpus_per_task = 1.5), "'cpus-per-task' must be a whole number")
  expect_null(config$options$bring)
  expect_equal(slurm_config(bring = FALSE)$options$bring, "0")
  expect_error(slurm_config(bring = NA), "bring")
  config <- slurm_config(environment = list(prologue = c("a=1", "export a")))
  expect_equal(config$options[["environment.prologue"]], "a=1\nexport a")
})

test_that("what slurm_config() cannot judge is judged before anything is launched", {
  set_daemons(1, url = "ws://127.0.0.1:0")
  would <- function(...) launch_remote(1, remote = slurm_config(...), dry_run = TRUE)
  expect_error(would(environment = list(lib_paths = "/a")), "did you mean 'lib-paths'")
  expect_error(would(cpus_per_task = "x"), "slurm.cpus-per-task must be")
  expect_error(would(array_chunk = 1e6), "at most 4096 daemons")
  expect_match(would(environment = list(`lib-paths` = "/a")), "R_LIBS=/a")
})

test_that("mpi_config() says to the plugin what a profile would", {
  config <- mpi_config(options = c("--hostfile", "hosts"), threads = 2,
                       environment = list(variables = c(A = "b")))
  with_profiles("  p:", "    launcher: mpi", "    daemons: 2", "    threads: 2",
                "    mpi: {listen: loopback, program: mpirun, options: [--hostfile, hosts]}",
                "    environment: {variables: {A: b}}")
  said <- profile("p")
  for (name in c("plugin", "credential", "chunk")) expect_equal(config[[name]], said[[name]])
  expect_mapequal(config$options, said$options)
  expect_error(mpi_config(listen = "eth0"), "'listen' must be \"loopback\" or \"all\"")
  expect_error(mpi_config(options = 1i), "options")
  expect_error(mpi_config(program = NULL), "program")
})

test_that("a failed launch is a condition with its evidence", {
  daemons(1, url = "ws://127.0.0.1:0", remote = remote_config("sh", c("-c", "'echo no such thing >&2; exit 7'", ".")))
  on.exit(daemons(0))
  seen <- NULL
  expect_true(wait_for(function() {
    withCallingHandlers(status(), tenkai_launch_error = function(condition) {
      seen <<- condition
      invokeRestart("muffleMessage")
    })
    !is.null(seen)
  }))
  expect_equal(seen$state, "failed")
  expect_equal(seen$exit_code, 7L)
  expect_match(seen$log, "no such thing")
  expect_match(conditionMessage(seen), "exit code 7")
})

test_that("who waits for a value hears meanwhile that no daemon will come", {
  daemons(1, url = "ws://127.0.0.1:0", remote = remote_config("sh", c("-c", "'exit 7'", ".")))
  on.exit(daemons(0))
  m <- mirai(1, .timeout = 20000)
  heard <- tryCatch(call_mirai(m), tenkai_launch_error = identity)
  expect_s3_class(heard, "tenkai_launch_error")
  # Not when the time was over, and the wait had ended.
  expect_true(unresolved(m))
  expect_silent(stop_mirai(m))

  again <- mirai(1, .timeout = 20000)
  launch_remote(1, remote = remote_config("sh", c("-c", "'exit 7'", ".")))
  # A handler may look at the mirai, and settle it.
  withCallingHandlers(call_mirai(again), tenkai_launch_error = function(condition) {
    stop_mirai(again)
    invokeRestart("muffleMessage")
  })
  expect_true(is_error_code(again$data, 20L))
})

test_that("local daemons of a profile with a URL connect there", {
  with_profiles("  here:", "    daemons: 2", "    launcher: local",
                "    url: 'wss://127.0.0.1:0'",
                "  by_hand:", "    daemons: 1", "    url: 'ws://127.0.0.1:0'")
  expect_equal(as.integer(daemons(profile = "here")), 2L)
  on.exit(daemons(0, .compute = "here"), add = TRUE)
  expect_match(rownames(status("here")$daemons), "^wss://127.0.0.1")
  expect_equal(sum(status("here")$daemons[, "online"]), 2)
  expect_identical(value_of(mirai(1 + 1, .compute = "here")), 2)
  expect_equal(as.integer(daemons(profile = "by_hand")), 1L)
  on.exit(daemons(0, .compute = "by_hand"), add = TRUE)
  expect_equal(sum(status("by_hand")$daemons[, "online"]), 0)
})

test_that("remote_config() without a command leaves launching to others, whatever the profile says", {
  mark <- tempfile()
  with_profiles("  cmd:", "    launcher: command", "    daemons: 2",
                "    url: \"ws://127.0.0.1:0\"",
                paste0("    command: {program: \"touch ", mark, "; true\"}"))
  daemons(profile = "cmd", remote = remote_config())
  on.exit(daemons(0, .compute = "cmd"), add = TRUE)
  expect_null(attr(status("cmd"), "launches"))
  expect_equal(unname(status("cmd")$daemons[, "online"]), c(0, 0))
  expect_false(file.exists(mark))
  expect_error(daemons(2, remote = remote_config(), .compute = "none"),
               "'remote' needs a 'url'")
})

test_that("names of machines and arguments do no harm", {
  set_daemons(2, url = "tcp://127.0.0.1:0")
  shown <- launch_remote(1:2, ssh_config(c(a = "ssh://h1", b = "ssh://h2")),
                         dry_run = TRUE)
  expect_length(shown, 2L)
  shown <- launch_remote(1:2, remote_config("sh", list(a = c("-c", "."),
                                                       b = c("-c", "."))),
                         dry_run = TRUE)
  expect_length(shown, 2L)
})

test_that("without dispatcher a profile has the daemons that it says", {
  with_profiles("  two: {daemons: 2}",
                "  at: {daemons: 2, launcher: local, url: \"tcp://127.0.0.1:0\"}")
  expect_equal(as.integer(daemons(profile = "two", dispatcher = FALSE)), 2L)
  expect_match(c(daemons(3, profile = "at", dispatcher = FALSE)), "^tcp://")
  daemons(0, .compute = "two")
  daemons(0, .compute = "at")
  expect_error(daemons(1, retries = NULL), "'retries' must be a number")
})
