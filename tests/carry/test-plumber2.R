# Handlers of plumber2 in daemons: by the evaluator of tenkai, and by that of plumber2
# itself on the package mirai of tenkai.
# r/tests/testthat/test-plumber.R has what plumber2 says of evaluators without it.
tenkai::use_as_mirai()
library(plumber2)

run_until <- function(condition, seconds = 60) {
  until <- Sys.time() + seconds
  while (!condition() && Sys.time() < until) later::run_now(1)
  condition()
}

set_daemons <- function(..., frame = parent.frame()) {
  do.call(on.exit, list(quote(tenkai::daemons(0)), TRUE, FALSE), envir = frame)
  tenkai::daemons(...)
}

# What an API answers: of its response, the status and the body.
answer <- function(pa, path) {
  got <- pa$test_request(fiery::fake_request(paste0("http://127.0.0.1:8080", path)))
  done <- new.env()
  promises::then(promises::as.promise(got), function(value) done$value <- value,
                 function(why) done$value <- why)
  if (!run_until(function() !is.null(done$value))) stop("no answer to ", path)
  done$value[c("status", "body")]
}

for (name in c("tenkai", "mirai")) {
  test_that(paste("a handler runs in a daemon by", name), {
    set_daemons(1)
    pid <- tenkai::mirai(Sys.getpid())[]
    pa <- api_get(api(), "/twice/<x:integer>", function(x) list(x = 2 * x, pid = Sys.getpid()),
                  serializers = get_serializers("json"), async = name)
    got <- answer(pa, "/twice/21")
    expect_identical(got$status, 200L)
    expect_match(got$body, "42")
    expect_match(got$body, as.character(pid), fixed = TRUE)
  })
}

test_that("it is registered, and a profile may be chosen", {
  expect_true("tenkai" %in% show_registered_async()$name)
  set_daemons(1)
  on.exit(tenkai::daemons(0, .compute = "side"), add = TRUE)
  tenkai::daemons(1, .compute = "side")
  pid <- tenkai::mirai(Sys.getpid(), .compute = "side")[]
  pa <- api_get(api(), "/pid", function() Sys.getpid(), serializers = get_serializers("json"),
                async = tenkai::tenkai_async(profile = "side"))
  expect_match(answer(pa, "/pid")$body, as.character(pid), fixed = TRUE)
})

test_that("a daemon that is killed by a request does not end the API", {
  set_daemons(1, retries = 0)
  pa <- api_get(api(), "/kill", function() tools::pskill(Sys.getpid(), 9), async = "tenkai",
                serializers = get_serializers("json"))
  pa <- api_get(pa, "/one", function() 1, async = "tenkai",
                serializers = get_serializers("json"))
  expect_gte(answer(pa, "/kill")$status, 500L)
  expect_match(answer(pa, "/one")$body, "1")
})
