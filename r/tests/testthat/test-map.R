# mirai_map(): what is mapped over, how results are read, and what goes wrong.

test_that("a map has the results in the order of its elements, by their names", {
  daemons(2)
  on.exit(daemons(0))
  expect_identical(mirai_map(1:100, function(x) x^2)[], as.list((1:100)^2))
  expect_identical(mirai_map(c(a = 1, b = 2), function(x, y) x + y, .args = list(y = 10))[],
                   list(a = 11, b = 12))
  expect_identical(mirai_map(list(1, "a", NULL), class)[.flat],
                   c("numeric", "character", "NULL"))
  expect_identical(mirai_map(list(), identity)[], list())
})

test_that("factors and dates keep their class, element by element", {
  daemons(1)
  on.exit(daemons(0))
  days <- as.Date("2026-01-30") + 0:1
  expect_identical(mirai_map(days, format)[.flat], format(days))
  expect_identical(mirai_map(factor(c("u", "v")), as.character)[.flat], c("u", "v"))
})

test_that("rows of data frames and matrices are arguments", {
  daemons(1)
  on.exit(daemons(0))
  frame <- data.frame(x = 1:2, y = c("a", "b"), row.names = c("one", "two"))
  expect_identical(mirai_map(frame, function(x, y) paste(x, y))[],
                   list(one = "1 a", two = "2 b"))
  square <- matrix(1:4, 2L)
  expect_identical(mirai_map(square, function(a, b) a * 10L + b)[.flat], c(13L, 24L))
})

test_that("what is given as ... is global on the daemon, and in .args an argument", {
  daemons(1)
  on.exit(daemons(0))
  helper <- function(x) x + offset
  expect_identical(
    mirai_map(1:3, function(x, times) helper(x) * times, helper = helper, offset = 1,
              .args = list(times = 2))[.flat],
    c(4, 6, 8)
  )
  expect_identical(mirai_map(1:2, function(x, ...) sum(x, ...), .args = list(10, 100))[.flat],
                   c(111, 112))
})

test_that("an element that fails is an error value, and the others have theirs", {
  daemons(2)
  on.exit(daemons(0))
  values <- mirai_map(1:9, function(x) if (x %% 4 == 0) stop("no ", x) else x)[]
  failed <- vapply(values, is_mirai_error, NA)
  expect_identical(which(failed), c(4L, 8L))
  expect_match(as.character(values[[8L]]), "no 8", fixed = TRUE)
  expect_identical(values[[8L]]$stack.trace[[2L]], ".f(.x)")
  expect_identical(unlist(values[!failed]), setdiff(1:9, c(4L, 8L)))
})

test_that(".stop is the first error, and what is left is stopped", {
  daemons(2)
  on.exit(daemons(0))
  m <- mirai_map(c(a = 1, b = 2, c = 60), function(x) if (x == 2) stop("oh") else Sys.sleep(x))
  error <- expect_error(m[.stop], "oh", class = "tenkai_collect_error")
  expect_identical(error$location, 2L)
  expect_identical(error$name, "b")
  expect_s3_class(error$parent, "simpleError")
  expect_false(unresolved(m))
})

test_that("the elements of a map are mirais", {
  daemons(1)
  on.exit(daemons(0))
  m <- mirai_map(c(one = 1, two = 2), function(x) x * 2)
  expect_true(is_mirai_map(m))
  expect_true(is_mirai(m[["two"]]))
  expect_identical(call_mirai(m$two)$data, 4)
  expect_identical(collect_mirai(lapply(m, identity)), list(one = 2, two = 4))
  expect_false(unresolved(call_mirai(m)))
  expect_output(print(m), "< mirai map [2/2] >", fixed = TRUE)
  expect_length(m, 2L)
})

test_that("a map within a list is waited for, collected and stopped with it", {
  daemons(2)
  on.exit(daemons(0))
  tasks <- list(a = mirai(1), b = list(mirai_map(c(x = 2, y = 3), identity), NULL))
  expect_identical(call_mirai(tasks), tasks)
  expect_false(unresolved(tasks))
  expect_identical(collect_mirai(tasks), list(a = 1, b = list(list(x = 2, y = 3), NULL)))
  expect_identical(unname(collect_mirai(tasks, ".flat")), c(1, 2, 3))
  slow <- list(mirai(4), mirai_map(1:2, function(x) Sys.sleep(60)))
  call_mirai(slow[[1L]])
  expect_identical(stop_mirai(slow), c(FALSE, TRUE))
})

test_that("a list that holds a map keeps its class and its shape", {
  set_daemons(1)
  map <- mirai_map(1:2, identity)
  square <- matrix(list(map, 1, 2, 3), 2L)
  expect_identical(collect_mirai(square), matrix(list(list(1L, 2L), 1, 2, 3), 2L))
  frame <- data.frame(x = 1:2)
  frame$y <- list(map, 3)
  values <- data.frame(x = 1:2)
  values$y <- list(list(1L, 2L), 3)
  expect_identical(collect_mirai(frame), values)
})

test_that("a map that is stopped has error values for what had not come", {
  daemons(1)
  on.exit(daemons(0))
  m <- mirai_map(1:50, function(x) if (x > 1) Sys.sleep(60) else x)
  call_mirai(m[[1L]])
  stopped <- stop_mirai(m)
  expect_identical(stopped, rep(c(FALSE, TRUE), c(1L, 49L)))
  values <- m[]
  expect_identical(values[[1L]], 1L)
  expect_identical(unclass(values[[50L]])[1L], 20L)
  # The daemon is free for others.
  expect_identical(mirai("on")[], "on")
})

test_that("one element can be stopped", {
  daemons(1)
  on.exit(daemons(0))
  m <- mirai_map(1:3, function(x) if (x == 2) Sys.sleep(60) else x)
  call_mirai(m[[1L]])
  expect_true(stop_mirai(m[[2L]]))
  values <- m[]
  expect_identical(unclass(values[[2L]])[1L], 20L)
  expect_identical(values[c(1L, 3L)], list(1L, 3L))
})

test_that("an element that ends its daemon is found out, and the others are not blamed", {
  daemons(2, retries = 0)
  on.exit(daemons(0))
  m <- mirai_map(1:40, function(x) if (x == 17) quit(status = 3) else x)
  values <- m[]
  expect_identical(unclass(values[[17L]])[1L], 19L)
  expect_identical(unlist(values[-17L]), setdiff(1:40, 17L))
})

test_that("an element leaves nothing behind for the next one", {
  daemons(1)
  on.exit(daemons(0))
  seen <- mirai_map(1:20, function(x) {
    before <- exists("left", globalenv())
    assign("left", x, globalenv())
    options(tenkai.left = x)
    before
  })[.flat]
  expect_identical(seen, rep(FALSE, 20L))
})

test_that("elements of very different times are done by all daemons", {
  daemons(2)
  on.exit(daemons(0))
  m <- mirai_map(1:200, function(x) {
    if (x > 196) Sys.sleep(0.5)
    Sys.getpid()
  }, .chunk = NULL)
  expect_length(unique(m[.flat][197:200]), 2L)
})

test_that("large elements and large results come whole", {
  daemons(1)
  on.exit(daemons(0))
  large <- list(as.numeric(1:300000), 1, as.numeric(300000:1))
  expect_identical(mirai_map(large, rev)[], lapply(large, rev))
})

test_that("a value that cannot be serialized is the error of its element alone", {
  daemons(1)
  on.exit(daemons(0))
  deep <- function(x) {
    value <- NULL
    if (x == 2) for (i in 1:1e6) value <- list(value)
    length(value)
  }
  values <- mirai_map(1:3, deep)[]
  expect_identical(values[c(1L, 3L)], list(0L, 0L))
})

test_that("without daemons a map says what to do", {
  expect_error(mirai_map(1:3, identity), "daemons")
})

test_that("what cannot be mapped is refused by its name", {
  daemons(1)
  on.exit(daemons(0))
  expect_error(mirai_map(1:3, "mean"), "'.f' must be of type function, not character")
  expect_error(mirai_map(new.env(), identity), "'.x' must be a vector")
  expect_error(mirai_map(1:3, identity, .args = 5), "'.args' must be a list")
  expect_error(mirai_map(1:3, identity, .chunk = 0), "'.chunk' must be a number")
  for (wrong in list(3, list(), list(print, 2), list(print, print, print))) {
    expect_error(mirai_map(1:3, identity, .promise = wrong), "'.promise' must be a function")
  }
  expect_identical(info()[["completed"]], 0L)
  expect_identical(mirai_map(1:3, identity, .chunk = Inf)[.flat], 1:3)
  expect_identical(mirai_map(NULL, identity)[], list())
})

test_that("a map of a session that lets in data alone refuses functions", {
  daemons(1, safe = TRUE)
  on.exit(daemons(0))
  values <- mirai_map(1:2, function(x) if (x == 1) x else function() x)[]
  expect_identical(values[[1L]], 1L)
  expect_identical(unclass(values[[2L]])[1L], 13L)
})

test_that("maps and tasks take turns in the order in which they were submitted", {
  daemons(1)
  on.exit(daemons(0))
  m <- mirai_map(1:10, identity)
  t <- mirai("between")
  n <- mirai_map(1:10, function(x) -x)
  expect_identical(n[.flat], -(1:10))
  expect_false(unresolved(t))
  expect_identical(m[.flat], 1:10)
})

test_that("daemons(0) resolves what a map has not done", {
  daemons(1)
  m <- mirai_map(1:3, function(x) Sys.sleep(60))
  daemons(0)
  expect_false(unresolved(m))
  expect_identical(unclass(m[][[3L]])[1L], 7L)
})

test_that("a daemon that ends after so many tasks counts elements", {
  told <- capture_messages({
    daemons(1, maxtasks = 5, patience = 0.2)
    on.exit(daemons(0))
    values <- mirai_map(1:20, identity)[]
  })
  expect_identical(Filter(Negate(is_error_value), values), as.list(1:5))
  expect_match(told, "no daemon is left", all = FALSE)
})

test_that("a map that is larger than what may wait is sent as room is made", {
  set_daemons(2, memory = 1e6)
  sizes <- rep(c(1e5, 10, 3e5, 1000, 2e6), 6)
  map <- mirai_map(lapply(sizes, raw), length)
  expect_identical(as.numeric(map[.flat]), sizes)
  # What the elements share is kept until all have come.
  map <- mirai_map(1:5, function(x, y) x + length(y), .args = list(y = raw(5e6)))
  expect_identical(map[.flat], 5000000L + 1:5)
  map <- mirai_map(lapply(sizes, raw), length)
  expect_identical(as.numeric(map[.flat]), sizes)
})

test_that(".flat and .stop see values that could not be let in, and those that never came", {
  set_daemons(1, safe = TRUE)
  map <- mirai_map(c(a = 1, b = 2), function(x) if (x == 2) function() x else x)
  for (option in c(".flat", ".stop")) {
    e <- expect_error(collect_mirai(map, option), "In index 2 ('b'), the mirai has no value: 13 |",
                      fixed = TRUE, class = "tenkai_collect_error")
    expect_identical(e$location, 2L)
  }
  map <- mirai_map(1:3, function(x) Sys.sleep(60))
  daemons(0)
  expect_error(map[.flat], "In index 1, the mirai has no value: 7 | Object closed", fixed = TRUE)
  expect_error(map[.stop], "In index 1, the mirai has no value: 7 | Object closed", fixed = TRUE)
})

test_that("each argument in .args is what it was given as, whatever it is called", {
  set_daemons(1)
  given <- structure(as.list(1:8),
                     names = c("", ".x", ".f", "a", "a", ".1", "...", "..1"))
  expect_identical(mirai_map(list(0), list, .args = given)[], list(c(list(0), given)))
})

test_that("what is made of a map is a list of its mirais", {
  set_daemons(1)
  map <- mirai_map(c(a = 1, b = 2), identity)
  more <- mirai_map(3, identity)
  expect_identical(collect_mirai(c(map, more, list(mirai(4)))), list(a = 1, b = 2, 3, 4))
  expect_identical(collect_mirai(rev(map)), list(b = 2, a = 1))
  changed <- list(map, map, map, map, map)
  changed[[1]]$a <- NULL
  changed[[2]]$c <- more[[1]]
  changed[[3]][["a"]] <- 5
  changed[[4]][2] <- list(6)
  length(changed[[5]]) <- 1
  expect_identical(lapply(changed, collect_mirai),
                   list(list(b = 2), list(a = 1, b = 2, c = 3), list(a = 5, b = 2),
                        list(a = 1, b = 6), list(a = 1)))
})

test_that("Ctrl-C while m[] waits stops what is left", {
  set_daemons(2)
  map <- mirai_map(1:6, function(i, session) {
    if (i == 2) return(i)
    if (i == 3) tools::pskill(session, tools::SIGINT)
    Sys.sleep(600)
  }, .args = list(session = Sys.getpid()), .chunk = 1)
  expect_identical(tryCatch(map[], interrupt = function(interrupt) "interrupted"), "interrupted")
  values <- map[]
  expect_identical(values[[2]], 2L)
  for (value in values[-2]) expect_true(is_error_code(value, 20L))
  expect_identical(evaluated(1), 1)
  expect_identical(evaluated(2), 2)
})

test_that("error values of a map have the fields of their conditions", {
  set_daemons(1)
  fails <- function(x) stop(structure(class = c("odd", "error", "condition"),
                                      list(message = "bad", call = quote(f(x)), extra = x)))
  map <- mirai_map(c(a = 1), fails)
  value <- map[]$a
  expect_identical(value$condition.class, c("odd", "error", "condition"))
  expect_identical(attr(value, "extra"), 1)
  expect_identical(conditionCall(value), quote(f(x)))
  expect_identical(attributes(value), attributes(map$a$data))
})

test_that("where R takes elements without asking the map, that is an error, and no NULL", {
  set_daemons(1)
  map <- mirai_map(c(a = 1, b = 2), identity)
  for (each in map) expect_error(each[], "give them as.list(x)", fixed = TRUE)
  expect_error(do.call(function(a, b) a$data, map), "give them as.list(x)", fixed = TRUE)
  expect_match(printed(each), "as.list() has the mirais", fixed = TRUE)
  expect_identical(collect_mirai(unlist(map)), list(a = 1, b = 2))
  expect_identical(lapply(map, function(each) each[]), list(a = 1, b = 2))
  expect_identical(Map(function(each) each[], map), list(a = 1, b = 2))
})

test_that("a map from another process is closed, as a mirai is", {
  set_daemons(1)
  map <- unserialize(serialize(mirai_map(c(a = 1, b = 2), identity), NULL))
  expect_identical(printed(map), "< mirai map [2/2] >")
  expect_false(unresolved(map))
  expect_identical(stop_mirai(map), c(FALSE, FALSE))
  expect_identical(call_mirai(map), map)
  expect_true(is_error_code(map[["a"]], 7L))
  expect_true(is_error_code(map[]$b, 7L))
  expect_error(map[.flat], "In index 1 ('a'), the mirai has no value: 7 |", fixed = TRUE)
})
