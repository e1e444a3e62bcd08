# The shortest way through the package: it works, or it says where it broke.
# The tests proper are in tests/testthat.
library(tenkai)

own <- system.file("bin", "tenkai", package = "tenkai")
if (any(nzchar(c(own, Sys.which("tenkai"), Sys.getenv("TENKAI_BIN"))))) {
  stopifnot(daemons(1) == 1L)
  m <- mirai(x + y, x = 1, .args = list(y = 2))
  stopifnot(identical(call_mirai(m)$data, 3))
  e <- call_mirai(mirai(stop("no luck", call. = FALSE)))$data
  stopifnot(is_mirai_error(e), e == "Error: no luck")
  stopifnot(daemons(0) == 0L)
}
