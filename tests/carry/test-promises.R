# Package promises and Shiny's ExtendedTask, as CRAN has them, on the package mirai of
# tenkai.
tenkai::use_as_mirai()
library(promises)

run_until <- function(condition, seconds = 60) {
  until <- Sys.time() + seconds
  while (!condition() && Sys.time() < until) later::run_now(1)
  condition()
}

set_daemons <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(mirai::daemons(0)), TRUE, FALSE), envir = frame)
  mirai::daemons(...)
}

test_that("a mirai is a promise, and so is a map", {
  set_daemons(2)
  got <- new.env()
  mirai::mirai(1 + 1) %...>% (\(value) got$one <- value)
  then(mirai::mirai_map(1:3, \(x) x * 2), \(value) got$all <- value)
  then(mirai::mirai(stop("no luck")), onRejected = \(why) got$why <- why)
  expect_true(run_until(function() length(ls(got)) == 3L))
  expect_identical(got$one, 2)
  expect_identical(unname(got$all), list(2, 4, 6))
  expect_match(conditionMessage(got$why), "no luck")
})

test_that("a mirai whose daemons die rejects, and says of what", {
  set_daemons(1, retries = 0)
  got <- new.env()
  then(mirai::mirai(tools::pskill(Sys.getpid(), 9)), onRejected = \(why) got$why <- why)
  expect_true(run_until(function() length(ls(got)) == 1L))
  expect_s3_class(got$why, "simpleError")
  expect_match(conditionMessage(got$why), "SIGKILL")
})

test_that("an ExtendedTask of Shiny runs in a daemon", {
  set_daemons(1)
  library(shiny)
  got <- new.env()
  server <- function(input, output, session) {
    task <- ExtendedTask$new(function(x) mirai::mirai(c(x * 2, Sys.getpid()), x = x))
    observeEvent(input$go, task$invoke(input$go))
    observe(if (task$status() == "success") got$value <- task$result())
  }
  testServer(server, {
    session$setInputs(go = 21)
    expect_true(run_until(function() {
      session$flushReact()
      !is.null(got$value)
    }))
  })
  expect_identical(got$value[1L], 42)
  expect_false(got$value[2L] == Sys.getpid())
})
