# Hooks that fail, do not return, or do something of their own.

test_that("a hook that fails is an error that names it, and ends no daemon", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  fine <- box_config()
  failing <- function(...) stop("not today")

  set_hooks(list(failing, unserialize), class = "box")
  error <- evaluated(x, x = list(box(1)))
  expect_s3_class(error, "miraiError")
  expect_true("tenkai_serialization_error" %in% error$condition.class)
  expect_identical(conditionMessage(error),
                   "the serialization hook of class 'box' failed: not today")
  expect_identical(attr(error, "condition")$class, "box")
  expect_identical(error$hook, "serialization")
  expect_identical(conditionMessage(error$parent), "not today")
  told <- capture_messages({
    fails_with(everywhere(x, x = box(1))[][[1L]], "serialization hook of class 'box'")
    expect_identical(evaluated(1), 1)
  })
  expect_match(told, "everywhere\\(\\) failed on daemon 1: .*hook of class 'box' failed", all = FALSE)
  fails_with(evaluated(structure(new.env(), class = "box")),
             "^Error: the serialization hook of class 'box' failed: not today$")

  set_hooks(list(fine$sfunc[[1]], failing), class = "box")
  fails_with(evaluated(x, x = box(1)),
             "^Error: the unserialization hook of class 'box' failed: not tod")
  value <- evaluated(structure(list2env(list(x = 1)), class = "box"))
  expect_true(is_error_code(value, 1000L))
  expect_identical(reason_of(value),
                   "the unserialization hook of class 'box' failed: not today")
  expect_identical(evaluated(Sys.getpid()), pid)
})

test_that("a hook that fails for an element of a map, or for all, is the value there", {
  set_daemons(2)
  set_hooks(list(function(box) {
    if (box$x == 3) stop("not 3")
    serialize(box$x, NULL)
  }, unserialize), class = "box")

  values <- mirai_map(lapply(1:5, box), function(x) x)[]
  expect_identical(values[-3L], as.list(c(1L, 2L, 4L, 5L)))
  fails_with(values[[3L]], "^Error: the serialization hook of class 'box' failed: not 3$")
  values <- mirai_map(1:2, function(x, y) x, .args = list(y = box(3)))[]
  for (value in values) fails_with(value, "hook of class 'box' failed: not 3")
})

test_that("a hook that fails is the value also where nothing is sent, or little can be", {
  set_hooks(list(function(box) {
    stop(structure(class = c("mine", "error", "condition"),
                   list(message = "too much", call = NULL, all = runif(1e5))))
  }, unserialize), class = "box")
  set_daemons(1)
  error <- evaluated(x, x = box(1))
  expect_identical(conditionMessage(error$parent), "too much")
  daemons(0)
  fails_with(evaluated(x, x = box(1)), "hook of class 'box' failed: too much")
  set_daemons(sync = TRUE)
  fails_with(evaluated(x, x = box(1)), "hook of class 'box' failed: too much")
  fails_with(mirai_map(list(box(1)), identity)[][[1L]], "failed: too much")
})

test_that("a serialization hook that returns no raw vector is an error", {
  set_daemons(1)
  for (vec in c(FALSE, TRUE)) {
    for (wrong in list(NULL, "text", list(raw(1)))) {
      set_hooks(list(eval(bquote(function(x) .(wrong))), unserialize),
                class = "box", vec = vec)
      message <- "serialization hook of class 'box' returned .* a raw vector"
      fails_with(evaluated(x, x = box(1)), message)
      fails_with(evaluated(structure(new.env(), class = "box")), message)
    }
  }
  expect_identical(evaluated(1), 1)
})

test_that("a hook that the daemon cannot have is missing where it is needed", {
  set_daemons(1)
  expect_false(evaluated(requireNamespace("pointers", quietly = TRUE)))
  pointers <- set_pointer_hooks()

  expect_identical(evaluated(2), 2)
  fails_with(evaluated(1, x = pointers$pointer(1)), paste0(
    "the unserialization hook of class 'pointer' cannot be used here: ",
    "there is no package called .pointers."
  ))
  fails_with(evaluated(structure(new.env(), class = "pointer")),
             "the serialization hook of class 'pointer' cannot be used here")
  expect_identical(evaluated(3), 3)
})

test_that("safe = TRUE refuses what hooks would make, and sends arguments", {
  pointers <- set_pointer_hooks()
  set_daemons(1, safe = TRUE)
  x <- pointers$pointer(6)

  expect_identical(evaluated(pointers::number(x), x = x), 6)
  value <- evaluated(x, x = x)
  expect_true(is_error_code(value, 13L))
  expect_match(reason_of(value), "it holds an external pointer")
})

test_that("a hook may call mirai() and use daemons", {
  set_daemons(1)
  set_daemons(1, .compute = "side")
  set_hooks(list(function(box) {
    m <- mirai(serialize(x, NULL), x = box$x, .compute = "side")
    call_mirai(m)$data
  }, function(raw) {
    m <- tenkai::mirai(unserialize(raw), raw = raw)
    tenkai::call_mirai(m)$data
  }), class = "box")

  expect_identical(evaluated(x, x = list(box(1), box(2))), list(1, 2))
})

test_that("a hook that asks for the value it is called for ends", {
  set_daemons(1)
  waiting <- NULL
  depth <- 0
  set_hooks(list(function(box) raw(1), function(raw) {
    depth <<- depth + 1
    if (depth < 3 && !is.null(waiting)) waiting$data
    depth
  }), class = "box")
  waiting <- mirai(structure(new.env(), class = "box"))

  expect_identical(value_of(waiting), 3)
  expect_identical(waiting$data, 3)
})

test_that("a hook that leads to itself for ever is an error", {
  set_daemons(1)
  set_hooks(list(function(box) mirai(x, x = box), unserialize), class = "box")
  error <- evaluated(x, x = box(1))

  expect_match(conditionMessage(error),
               "^the serialization hook of class 'box' returned .*, where a raw vector is needed")
  expect_lt(nchar(conditionMessage(error)), 500)
  suppressMessages(serialization(NULL))
  expect_identical(evaluated(1), 1)
})

test_that("hooks that replace or cancel themselves do no harm", {
  set_daemons(1)
  set_hooks(list(function(box) {
    suppressMessages(serialization(NULL))
    gc()
    serialize(box$x, NULL)
  }, unserialize), class = "box")

  expect_identical(evaluated(x, x = list(box(1), box(2))), list(1, 2))
})

test_that("Ctrl-C ends an unserialization hook, not the mirai", {
  set_daemons(1)
  interrupted <- FALSE
  set_hooks(list(function(box) raw(1), function(raw) {
    if (interrupted) return("made")
    interrupted <<- TRUE
    tools::pskill(Sys.getpid(), tools::SIGINT)
    Sys.sleep(60)
  }), class = "box")
  m <- mirai(structure(new.env(), class = "box"))
  ended <- tryCatch(call_mirai(m), interrupt = function(e) "interrupted")

  expect_identical(ended, "interrupted")
  expect_identical(value_of(m), "made")
})

test_that("stop_mirai() ends a hook that does not return, and not its daemon", {
  set_daemons(1)
  pid <- evaluated(Sys.getpid())
  folder <- set_folder()
  hang <- eval(bquote(function(...) {
    file.create(file.path(.(folder), "begun"))
    repeat Sys.sleep(0.05)
  }))
  begun <- function() file.exists(file.path(folder, "begun"))
  for (which in c("arguments", "value")) {
    set_hooks(list(if (which == "value") hang else function(box) raw(1), hang),
              class = "box")
    m <- if (which == "value") {
      mirai(structure(new.env(), class = "box"))
    } else {
      mirai(1, x = box(1))
    }
    expect_true(wait_for(begun))
    stop_mirai(m)
    expect_true(is_error_code(m$data, 20L))
    expect_identical(evaluated(Sys.getpid()), pid)
    unlink(file.path(folder, "begun"))
  }
})

test_that("a hook that ends its R ends no more than that", {
  set_daemons(1)
  set_hooks(list(function(box) raw(1), function(raw) quit("no", 3)),
            class = "box")
  value <- evaluated(1, x = box(1))

  expect_true(is_error_code(value, 19L))
  expect_identical(evaluated(2), 2)
})
