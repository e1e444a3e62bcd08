# What is small and nothing special is serialized by a quicker way; its bytes are R's.

plain <- function(x) .Call(tenkai:::tk_serialize_plain, x)
as_r <- function(x) serialize(x, NULL, xdr = FALSE)

long <- function(n) paste(rep("a", n), collapse = "")

plain_objects <- list(
  NULL, TRUE, NA, 1L, NA_integer_, 1.5, NaN, NA_real_, -Inf, 2i, complex(0), raw(0), as.raw(0:255),
  character(0), "", "text", NA_character_, c("a", NA, ""), "\u00fc\u00e4", c(a = 1, b = 2),
  list(), list(NULL), list(1, "a", list(2L)), list(x = 1, y = list(z = TRUE)),
  factor(c("b", "a")), Sys.Date(), .POSIXct(0, "UTC"), matrix(c(1, 2, 3, 4), 2), data.frame(x = c(1.5, 2)),
  quote(x), quote(f(x)), quote(f(a = 1, b)[2]), quote({
    x <- f(x)
    x + x
  }), quote(function(x, y = 2) x), quote(if (a) b else c), quote(`odd name`(1)), quote(f(, 2)),
  pairlist(1, b = 2), as.pairlist(list(a = 1)), y ~ x, globalenv(), baseenv(), emptyenv(), list(globalenv()),
  list(quote(f(x)), list(x = 1), list()), structure(1, class = c("b", "a")), structure(list(), names = character()),
  numeric(500), as.list(c(1, 2, 3)), noquote("a"), numeric_version("1.2.3"), bquote(f(.(c(1, 2)))),
  list(quote(a), quote(b), quote(a), quote(c), quote(b))
)
# Without the environment of this file, and without where they were read.
attr(plain_objects[[which(vapply(plain_objects, inherits, NA, "formula"))]], ".Environment") <- globalenv()
plain_objects <- lapply(plain_objects, function(x) if (is.call(x) && !inherits(x, "formula")) utils::removeSource(x) else x)

test_that("small objects that are nothing special get the bytes that R gives them", {
  for (object in plain_objects) {
    bytes <- plain(object)
    expect_identical(bytes, as_r(object), info = paste(deparse(object), collapse = " "))
  }
})

test_that("what is special, deep or large is left to R", {
  special <- list(
    function(x) x, sum, new.env(), 1:10, seq_len(3), topenv(), asNamespace("stats"), methods::getClass("numeric"),
    numeric(1000), long(5000), Reduce(function(x, i) list(x), seq_len(40), NULL), list(1, list(new.env())),
    as.list(as.numeric(seq_len(2000))), lapply(paste0("s", 1:70), as.name), expression(x), y ~ x
  )
  for (object in special) expect_null(plain(object))
  latin <- "\xe4"
  Encoding(latin) <- "latin1"
  expect_null(plain(latin))
  Encoding(latin) <- "bytes"
  expect_null(plain(latin))
  # A session in another place's letters.
  expect_null(plain(`Encoding<-`("\xfc", "unknown")))
})

test_that("values come back as R's own way brings them", {
  set_daemons(1)
  for (object in plain_objects) {
    if (is.language(object) || is.environment(object)) next
    expect_identical(mirai(x, x = object)[], object)
  }
})
