# The border to C++: R does not look how many arguments a routine gets that it calls by
# its symbol, and one too few ends the process.

test_that("each routine is called with as many arguments as it has", {
  routines <- getDLLRegisteredRoutines("tenkai")[[".Call"]]
  expected <- vapply(routines, `[[`, 0L, "numParameters")
  calls <- list()
  look_at <- function(code, where) {
    if (is.call(code) && identical(code[[1L]], quote(.Call))) {
      name <- as.character(code[[2L]])
      calls[[length(calls) + 1L]] <<- list(where, name, length(code) - 2L)
    }
    if (is.call(code) || is.pairlist(code)) {
      for (part in as.list(code)) if (!missing(part)) look_at(part, where)
    }
  }
  space <- asNamespace("tenkai")
  for (name in ls(space, all.names = TRUE)) {
    object <- get(name, envir = space)
    if (is.function(object) && !is.primitive(object)) {
      look_at(formals(object), name)
      look_at(body(object), name)
    }
  }
  expect_gt(length(calls), 50L)
  for (each in calls) {
    expect_identical(each[[3L]], unname(expected[each[[2L]]]),
                     info = paste(each[[1L]], "calls", each[[2L]]))
  }
})
