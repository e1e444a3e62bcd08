# Values out of mirais: one, all of a list, and the first of several.

test_that("race_mirai() says which has resolved first", {
  set_daemons(2)
  set_daemons(1, .compute = "other")
  slow <- mirai(Sys.sleep(600))
  elsewhere <- mirai(Sys.sleep(600), .compute = "other")
  at_end(stop_mirai(list(slow, elsewhere)))

  expect_identical(race_mirai(list(slow, mirai(1))), 2L)
  mixed <- list(slow, elsewhere, NULL, "no mirai", mirai(1))
  expect_identical(race_mirai(mixed), 5L)
  quick <- mirai(1)
  expect_identical(race_mirai(list(elsewhere, a = slow, b = quick)), 3L)
  expect_identical(race_mirai(list(elsewhere, quick, quick)), 2L)
  expect_identical(race_mirai(quick), 1L)
  expect_identical(race_mirai(pairlist(slow, quick)), 2L)
  expect_identical(race_mirai(list(1, NULL, list(quick))), 0L)
  stopped <- mirai(Sys.sleep(600), .compute = "other")
  stop_mirai(stopped)
  expect_identical(race_mirai(list(slow, stopped)), 2L)
})

test_that("each of several profiles can win a race, and is found at once", {
  set_daemons(1)
  set_daemons(1, .compute = "other")
  folder <- set_folder()
  held <- function(name, .compute) {
    mirai({
      while (!file.exists(file.path(folder, name))) Sys.sleep(0.01)
      name
    }, name = name, folder = folder, .compute = .compute)
  }
  tasks <- list(held("a", "default"), held("b", "other"))
  # What ends the one is on its way when the race begins, or comes within it.
  system(paste("(sleep 0.3; touch", file.path(folder, "b"), ") &"))
  expect_identical(race_mirai(tasks), 2L)
  system(paste("(sleep 0.3; touch", file.path(folder, "a"), ") &"))
  expect_identical(race_mirai(tasks[1]), 1L)
  expect_identical(lapply(tasks, value_of), list("a", "b"))
})

test_that("a race ends where nothing can come any more", {
  daemons(1)
  daemons(1, .compute = "other")
  at_end(daemons(0, .compute = "other"))
  tasks <- list(mirai(Sys.sleep(600), .compute = "other"),
                mirai(Sys.sleep(600)))
  at_end(stop_mirai(tasks))
  dispatcher <- nextget("pid")
  # It is killed while we wait, or just before.
  system(paste("(sleep 0.3; kill -9", dispatcher, ") &"))
  expect_identical(race_mirai(tasks), 2L)
  expect_true(is_error_code(value_of(tasks[[2]]), 19L))
  daemons(0)

  daemons(1)
  tasks[[2]] <- mirai(Sys.sleep(600))
  daemons(0)
  expect_identical(race_mirai(tasks), 2L)
  expect_true(is_error_code(value_of(tasks[[2]]), 7L))
})

test_that("thousands of mirais are raced until none is left", {
  set_daemons(2)
  tasks <- lapply(1:3000, function(i) mirai(i, i = i))
  left <- seq_along(tasks)
  got <- integer()
  while (i <- race_mirai(tasks[left])) {
    got <- c(got, tasks[[left[i]]]$data)
    left <- left[-i]
  }
  expect_identical(sort(got), 1:3000)
})
