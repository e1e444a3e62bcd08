# Takes long: not with scripts/test --quick.
# Large vectors, which are mapped where they are read and not copied.

large <- 3e5

# What R says that a vector is.
kind_of <- function(x) capture.output(.Internal(inspect(x)))[[1L]]

test_that("large vectors of all kinds come as they are, and so they come back", {
  set_daemons(1)
  values <- list(
    logical = rep(c(TRUE, FALSE, NA), large), integer = c(NA, seq_len(large) * 2L),
    real = seq_len(large) + 0.5, complex = complex(real = seq_len(large), imaginary = NA),
    raw = as.raw(rep(0:255, 5000)), sequence = seq_len(large), strings = rep(c("a", NA), large),
    matrix = matrix(runif(large), 1000L, dimnames = list(NULL, paste0("c", seq_len(large / 1000L)))),
    frame = data.frame(a = runif(large), b = seq_len(large) * 3L, c = rep("x", large)),
    factor = factor(sample(letters, large, TRUE)), series = ts(runif(large), 2000, frequency = 12),
    times = .POSIXct(seq_len(large) + 0.5, "UTC"), nested = list(1, list(list(x = seq_len(large) + 0.5))),
    attribute = structure(1, numbers = seq_len(large) + 0.5),
    enclosed = structure(seq_len(large) + 0.5, numbers = seq_len(large) * 2)
  )
  for (name in names(values)) {
    value <- values[[name]]
    expect_identical(evaluated(value, value = value), value, info = name)
  }
  expect_identical(evaluated(values, values = values), values)
  expect_identical(evaluated(list(x, x), x = values$real), list(values$real, values$real))
})

test_that("they are mapped on both sides, and in a session that lets in only data", {
  for (safe in c(FALSE, TRUE)) {
    daemons(1, safe = safe)
    x <- seq_len(large) + 0.5
    expect_match(evaluated(kind(x), x = x, kind = kind_of), "block of tenkai (mapped)", fixed = TRUE)
    expect_match(kind_of(evaluated(x, x = x)), "block of tenkai (mapped)", fixed = TRUE)
    expect_match(kind_of(evaluated(list(a = x), x = x)$a), "block of tenkai (mapped)", fixed = TRUE)
    daemons(0)
  }
})

# The memory files of which a process has something mapped, by their inodes.
files_mapped <- function() {
  maps <- grep("memfd:tenkai", readLines("/proc/self/maps"), fixed = TRUE, value = TRUE)
  unique(vapply(strsplit(maps, " +"), `[[`, "", 5L))
}

test_that("a daemon passes on the file of what its task was given, and has not changed", {
  use_pointers()
  set_daemons(1)
  x <- seq_len(large) + 0.5
  y <- x[seq_len(large / 2)] * 2
  # The value of `expr`, and whether it lies in a file that the task came with.
  passed_on <- function(expr) {
    gc()
    before <- files_mapped()
    task <- bquote(mirai({
      theirs <- files()
      list(.(expr), theirs)
    }, x = x, y = y, files = files_mapped))
    value <- value_of(eval(task))
    list(value[[1L]], setdiff(files_mapped(), before) %in% value[[2L]])
  }
  expect_identical(passed_on(quote(x)), list(x, TRUE))
  expect_identical(passed_on(quote(list(a = sum(x), b = list(y, x)))),
                   list(list(a = sum(x), b = list(y, x)), TRUE))
  expect_identical(passed_on(quote(structure(x, kind = "a"))), list(structure(x, kind = "a"), TRUE))
  expect_identical(passed_on(quote(x + 1)), list(x + 1, FALSE))
  # The smaller part of a file would keep all of it.
  expect_identical(passed_on(quote(list(y))), list(list(y), FALSE))
  # In place, as packages do. What is the same again is found out by looking at it.
  expect_identical(passed_on(quote({
    pointers::set_first(x, 0)
    x
  })), list(c(0, x[-1L]), FALSE))
  expect_identical(passed_on(quote({
    pointers::set_first(x, x[[1L]])
    x
  })), list(x, TRUE))
})

test_that("what is mapped where something else was is not taken for that", {
  set_daemons(1)
  x <- seq_len(large) + 0.5
  value <- evaluated({
    rm(x)
    gc()
    y <- tenkai::collect_mirai(tenkai::mirai(z * 2, z = seq_len(n) + 0.5, .compute = "inner"))
    list(y, y)
  }, x = x, n = large)
  expect_identical(value, list(x * 2, x * 2))
})

test_that("who writes to one changes nobody else's", {
  set_daemons(2)
  x <- seq_len(large) + 0.5
  tasks <- lapply(1:4, function(i) mirai({
    x[[1L]] <- i
    x[[length(x)]] <- i
    x
  }, x = x, i = i))
  for (i in 1:4) {
    value <- call_mirai(tasks[[i]])$data
    expect_identical(value[c(1L, 2L, large)], c(i, 2.5, i))
    value[[2L]] <- 0
    expect_identical(tasks[[i]]$data[[2L]], 2.5)
  }
  expect_identical(x, seq_len(large) + 0.5)
})

test_that("a copy of one in a file is read where there is no tenkai", {
  set_daemons(1)
  folder <- set_folder()
  y <- evaluated(x, x = seq_len(large) + 0.5)
  file <- file.path(folder, "y.rds")
  saveRDS(y, file)
  expect_identical(unserialize(serialize(y, NULL)), seq_len(large) + 0.5)
  program <- c("--vanilla", "-e", shQuote(sprintf(
    "x <- readRDS('%s'); cat(sum(x) == sum(seq_along(x) + 0.5), 'tenkai' %%in%% loadedNamespaces())", file
  )))
  expect_identical(system2(file.path(R.home("bin"), "Rscript"), program, stdout = TRUE), "TRUE FALSE")
})

test_that("one may be sent on, and kept for later tasks", {
  set_daemons(1)
  x <- seq_len(large) + 0.5
  y <- evaluated(x, x = x)
  expect_identical(evaluated(rev(y), y = y), rev(x))
  evaluated(kept <<- y, y = y)
  everywhere(z <<- y, y = y)
  expect_identical(evaluated(z), x)
  expect_identical(mirai_map(1:3, function(i, y) sum(y) + i, .args = list(y = y))[.flat], sum(x) + 1:3)
})

test_that("what nobody holds any more does not pile up", {
  set_daemons(1)
  x <- numeric(5e6)
  mapped <- function() sum(grepl("memfd:tenkai", readLines("/proc/self/maps")))
  most <- 0
  for (i in 1:20) {
    y <- evaluated(x, x = x)
    most <- max(most, mapped(), evaluated(count(), count = mapped))
  }
  expect_gt(most, 1)
  expect_lt(most, 12)
})

test_that("over a network they are copied, and the same", {
  set_daemons(url = "wss://127.0.0.1:0")
  launch_local(1)
  x <- list(a = seq_len(large) + 0.5, b = seq_len(large) * 2L)
  expect_identical(evaluated(x, x = x), x)
})

test_that("nobody else's bytes are taken for one", {
  state <- function(name, type, numbers) {
    number <- function(x) writeBin(as.integer(x), raw())
    symbol <- function(name) c(number(c(1L, 9L, nchar(name))), charToRaw(name))
    c(charToRaw("B\n"), number(c(2L, 0x40202, 0x20300, 238L, 2L)), symbol(name), number(2L),
      symbol("tenkai"), number(c(2L, 13L, 1L, type, 254L, 14L, 2L)), writeBin(numbers, raw()),
      number(254L))
  }
  expect_error(unserialize(state("block_real", 14L, c(4, 0))), "was written by tenkai")
  expect_error(unserialize(state("block_real", 14L, c(1e15, 0))), "was written by tenkai")
})
