# Takes long: not with scripts/test --quick.
# Large vectors that several tasks are sent: once, for as long as one of them is not answered.

large <- 3e5

# How many bytes the dispatcher has for tasks at most.
memory_now <- function() {
  profile <- tenkai:::profile_of(NULL)
  tenkai:::counts_of(profile)[["memory"]]
}

# While it does not answer, what was sent before is not answered either.
begin_waiting <- function(file, ...) {
  mirai({
    while (!file.exists(file)) Sys.sleep(0.01)
    sum(x)
  }, file = file, ...)
}

test_that("a vector that tasks have in common is in the dispatcher once", {
  set_daemons(2)
  x <- seq_len(large) + 0.5
  folder <- set_folder()
  go <- file.path(folder, "go")
  tasks <- lapply(1:8, function(i) begin_waiting(go, x = x))
  expect_lt(memory_now(), 8 * large * 2)
  more <- mirai(list(a = y[[1L]], b = sum(z$numbers)), y = x, z = list(numbers = x))
  expect_lt(memory_now(), 8 * large * 2)
  file.create(go)
  for (task in tasks) expect_identical(value_of(task), sum(x))
  expect_identical(value_of(more), list(a = 1.5, b = sum(x)))
  expect_identical(memory_now(), 0)
})

test_that("columns of a data frame, and vectors beside what is a task's own, come as they are", {
  set_daemons(2)
  frame <- as.data.frame(lapply(1:20, function(i) seq_len(large) * i))
  frame$words <- rep("a", large)
  tasks <- lapply(1:12, function(i) {
    own <- seq_len(large) * i + 0.5
    mirai(list(frame[i, ], own[1:2], i), frame = frame, own = own, i = i)
  })
  for (i in 1:12) {
    expect_identical(value_of(tasks[[i]]), list(frame[i, ], 1:2 * i + 0.5, i))
  }
})

test_that("a vector that was changed in place is sent anew", {
  pointers <- use_pointers()
  set_daemons(1)
  go <- file.path(set_folder(), "go")
  x <- share(seq_len(large) + 0.5)
  y <- seq_len(large) + 0.5
  blocker <- begin_waiting(go, x = 1)
  tasks <- lapply(1:5, function(i) {
    pointers$set_first(x, i)
    pointers$set_first(y, i)
    mirai(list(x[[1L]], y[[1L]], x[-1L], y[-1L]), x = x, y = y)
  })
  file.create(go)
  rest <- seq_len(large)[-1L] + 0.5
  for (i in 1:5) expect_identical(value_of(tasks[[i]]), list(i + 0, i + 0, rest, rest))
})

test_that("another vector in the same place of memory is sent anew", {
  set_daemons(1)
  go <- file.path(set_folder(), "go")
  blocker <- begin_waiting(go, x = 1)
  tasks <- lapply(1:20, function(i) {
    x <- seq_len(large) + i
    task <- mirai(x[[1L]], x = x)
    rm(x)
    gc()
    task
  })
  file.create(go)
  expect_identical(unlist(collect_mirai(tasks)), 1:20 + 1L)
})

test_that("who writes to a shared vector changes nobody else's", {
  set_daemons(2)
  x <- share(seq_len(large) + 0.5)
  tasks <- lapply(1:10, function(i) mirai({
    x[[1L]] <- i
    x[[length(x)]] <- i
    sum(x)
  }, x = x, i = i))
  expect_identical(x, seq_len(large) + 0.5)
  expected <- sum(x) - x[[1L]] - x[[large]] + 2 * 1:10
  expect_equal(unlist(collect_mirai(tasks)), expected)
  x[[1L]] <- 0
  expect_identical(value_of(mirai(x[1:2], x = x)), c(0, 2.5))
})

test_that("a daemon that is killed has its task tried again, with what it shares", {
  set_daemons(2, retries = 3)
  x <- seq_len(large) + 0.5
  folder <- set_folder()
  tasks <- lapply(1:20, function(i) mirai({
    mark <- file.path(folder, i)
    if (i %% 4 == 0 && !file.exists(mark)) {
      file.create(mark)
      tools::pskill(Sys.getpid(), 9L)
      Sys.sleep(60)
    }
    sum(x) + i
  }, x = x, i = i, folder = folder))
  for (i in 1:20) expect_identical(value_of(tasks[[i]]), sum(x) + i)
})

test_that("maps, everywhere() and sessions that let in only data share, too", {
  for (safe in c(FALSE, TRUE)) {
    daemons(2, safe = safe)
    x <- share(list(numbers = seq_len(large) + 0.5, whole = seq_len(large) * 2L))
    map <- mirai_map(1:10, function(i, x) sum(x$numbers) + x$whole[[i]], .args = list(x = x))
    one <- mirai(sum(x$numbers), x = x)
    call_mirai(everywhere(kept <<- x, x = x))
    expect_identical(map[.flat], sum(x$numbers) + 2L * 1:10)
    expect_identical(value_of(one), sum(x$numbers))
    expect_identical(evaluated(kept), x)
    daemons(0)
  }
})

test_that("without dispatcher they share, too", {
  set_daemons(2, dispatcher = FALSE)
  x <- seq_len(large) + 0.5
  tasks <- lapply(1:10, function(i) mirai(sum(x) + i, x = x, i = i))
  expect_identical(unlist(collect_mirai(tasks)), sum(x) + 1:10)
})

test_that("share() leaves an object as it is", {
  values <- list(
    frame = data.frame(a = runif(large), b = seq_len(large) * 3L, c = rep("x", large)),
    times = .POSIXct(seq_len(large) + 0.5, "UTC"), small = 1:10, code = quote(x + 1),
    complex = complex(real = seq_len(large), imaginary = NA), raw = as.raw(rep(0:255, 5000)),
    nested = list(1, list(list(x = rep(c(TRUE, NA), large)))), nothing = NULL
  )
  for (name in names(values)) expect_identical(share(values[[name]]), values[[name]], info = name)
  expect_identical(share(values), values)
  place <- new.env()
  expect_identical(share(list(place, runif(large)))[[1L]], place)
  expect_identical(share(share(values)), values)
  file <- file.path(set_folder(), "x.rds")
  saveRDS(share(values), file)
  expect_identical(readRDS(file), values)
})

test_that("shared memory is given back with the object and the last task", {
  shared_memory <- function() length(grep("memfd:tenkai", readLines("/proc/self/maps"), fixed = TRUE))
  gc()
  before <- shared_memory()
  x <- share(seq_len(large) + 0.5)
  expect_gt(shared_memory(), before)
  rm(x)
  gc()
  expect_identical(shared_memory(), before)

  files <- function() sum(grepl("memfd:tenkai (", suppressWarnings(Sys.readlink(
    list.files("/proc/self/fd", full.names = TRUE)
  )), fixed = TRUE))
  open <- files()
  set_daemons(1)
  x <- seq_len(large) + 0.5
  tasks <- lapply(1:5, function(i) mirai(sum(x), x = x))
  expect_identical(unlist(collect_mirai(tasks)), rep(sum(x), 5L))
  expect_identical(files(), open)
  stuck <- mirai(Sys.sleep(60), x = x)
  daemons(0)
  expect_identical(files(), open)
})

test_that("where descriptors are scarce they are copied", {
  skip_if(!nzchar(Sys.which("prlimit")), "prlimit is not installed")
  skip_if(nzchar(Sys.getenv("UBSAN_OPTIONS")), "a sanitizer needs descriptors")
  said <- run_session(c(
    "library(tenkai); invisible(daemons(2))",
    "limit <- function(pid) system(paste('prlimit --nofile=30:30 --pid', pid))",
    "for (m in lapply(1:2, function(i) mirai({ Sys.sleep(1); Sys.getpid() }))) limit(call_mirai(m)$data)",
    "limit(Sys.getpid())",
    "x <- seq_len(3e5) + 0.5",
    "y <- share(x * 2)",
    "task <- function(i) mirai(sum(x) + sum(y) + sum(z) + i, x = x, y = y, z = x + i, i = i)",
    "values <- unlist(collect_mirai(lapply(1:60, task)))",
    "cat(identical(values, sapply(1:60, function(i) sum(x) + sum(y) + sum(x + i) + i)))"
  ))
  expect_identical(said, "TRUE")
})

# Two daemons behind one agent, which comes over the network.
begin_agent <- function(scheme, frame = parent.frame()) {
  do.call(set_daemons, list(2, url = paste0(scheme, "://127.0.0.1:0"), retries = 3, frame = frame))
  urls <- nextget("urls")
  file <- tempfile()
  file.create(file)
  Sys.chmod(file, "600", use_umask = FALSE)
  writeLines(job_credential(1:2), file)
  system(sprintf("%s agent --daemons 2 --url '%s' --url '%s' --credential @%s >/dev/null 2>&1 &",
                 tenkai:::find_program(), urls[1L], urls[2L], file))
  wait_for(function() all(status()$daemons[, "online"] == 1))
}

for (scheme in c("tcp", "ws", "tls+tcp", "wss")) {
  test_that(paste("an agent has what tasks share once, over", scheme), {
    expect_true(begin_agent(scheme))
    x <- seq_len(large) + 0.5
    frame <- share(data.frame(a = x * 2, b = seq_len(large)))
    folder <- set_folder()
    tasks <- lapply(1:20, function(i) mirai({
      mark <- file.path(folder, i)
      if (i %in% c(7, 13) && !file.exists(mark)) {
        file.create(mark)
        tools::pskill(Sys.getpid(), 9L)
        Sys.sleep(60)
      }
      kind <- capture.output(.Internal(inspect(x)))[[1L]]
      x[[1L]] <- i
      list(sum(x), sum(frame$a), frame$b[[i]], kind)
    }, x = x, frame = frame, i = i, folder = folder))
    for (i in 1:20) {
      value <- value_of(tasks[[i]])
      expect_identical(value[-4L], list(sum(x) - 1.5 + i, sum(frame$a), i))
      if (i > 1) expect_match(value[[4L]], "block of tenkai (mapped)", fixed = TRUE)
    }
    expect_identical(evaluated(list(x, i), x = x, i = 1L), list(x, 1L))
    expect_identical(evaluated(frame, frame = frame), data.frame(a = x * 2, b = seq_len(large)))
    map <- mirai_map(1:6, function(i, frame) sum(frame$a) + i, .args = list(frame = frame))
    expect_identical(map[.flat], sum(frame$a) + 1:6)
  })
}
