# Writes the first inputs of the fuzz target `scan` to tests/data/fuzz/scan:
# values of each kind as R writes them. Run in this folder; they are kept in the
# repository, so this only needs to run again for values of a new kind.
folder <- file.path("..", "data", "fuzz", "scan")
dir.create(folder, FALSE, TRUE)

write <- function(name, x, ...) {
  bytes <- suppressWarnings(serialize(x, NULL, ...))
  writeBin(bytes, file.path(folder, name))
}

around <- function(...) environment()
shared <- new.env(hash = FALSE)
delayedAssign("lazy", stop("no"), assign.env = shared)
makeActiveBinding("active", function() 1, shared)
table <- utils::hashtab()
utils::sethash(table, 1:3, "three")
setClass("Point", representation(x = "numeric", y = "numeric"))

values <- list(
  numbers = list(TRUE, 1L, 2, 3i, as.raw(4)),
  strings = c("a", NA, "\u5c55\u958b"), list = list(a = 1, b = list(NULL, "c")),
  data_frame = data.frame(a = 1:2, b = c("x", "y")),
  factor = factor(c("p", "q")),
  matrix = matrix(1:4, 2L, dimnames = list(c("a", "b"), NULL)),
  array = structure(1:6, dim = c(1L, 2L, 3L)), time = .POSIXct(0, "UTC"),
  integers = 1:10, reals = 1:10 + 0, compact_reals = as.numeric(1:10),
  wrapped = sort(c(3, 1, 2)), wrapped_integers = sort(c(3L, 1L)),
  deferred = as.character(1:100), pairlist = pairlist(a = 1, 2),
  call = quote(f(x, y = 1)), formula = y ~ x, expression = expression(a, b + c),
  closure = function(x, ...) x + 1,
  byte_code = compiler::cmpfun(function(x) {
    for (i in 1:3) x[i, ] <- switch(x, a = 1)
  }),
  builtin = sum, environment = shared, dots = around(1 + 1, a = b),
  namespace = asNamespace("stats"), package = as.environment("package:stats"),
  symbol = quote(a), missing = quote(expr = ), hash_table = table,
  s4 = new("Point", x = 1, y = 2), condition = simpleError("e", quote(f(x)))
)
for (name in names(values)) write(name, values[[name]], xdr = FALSE)
write("big_endian", list(a = 1, b = 1:3))
write("version_2", list(a = 1, b = "c"), version = 2L)
write("ascii", 1:3, ascii = TRUE)

int <- function(...) writeBin(as.integer(c(...)), raw(), endian = "little")
header <- serialize(NULL, NULL, xdr = FALSE)[1:23]
hostile <- list(
  promise = int(0x405, 0xFD, 0xFC, 0xFE), long = int(13, 2e9),
  very_long = int(14, -1, 60000, 0), deep = rep(int(19, 1), 40L),
  chain = rep(int(2, 0xFE), 40L), negative = int(16, 1, 0x40009, -5),
  encloses_itself = int(4, 0, 0x1FF, 0xFE, 0xFE, 0xFE)
)
for (name in names(hostile)) {
  writeBin(c(header, hostile[[name]]), file.path(folder, name))
}

# A large vector whose numbers lie behind it (r/src/blocks.h), made small: inputs are short.
number <- function(x) writeBin(as.integer(x), raw())
symbol <- function(name) c(number(c(1L, 9L, nchar(name))), charToRaw(name))
block <- function(name, type, ...) {
  state <- as.double(c(...))
  c(number(c(238L, 2L)), symbol(name), number(2L), symbol("tenkai"),
    number(c(2L, 13L, 1L, type, 254L, 14L, length(state))), writeBin(state, raw()), number(254L))
}
with_blocks <- function(value, size) {
  value <- c(charToRaw("B\n"), number(c(2L, 0x40202, 0x20300)), value)
  c(value, raw(4096L - length(value)), raw(size))
}
writeBin(with_blocks(block("block_real", 14L, 2, 0), 16L), file.path(folder, "block"))
# One that others share, behind those that are its own.
both <- c(number(c(19L, 2L)), block("block_raw", 24L, 10, 0, 1), block("block_real", 14L, 2, 0))
writeBin(with_blocks(both, 4096L + 10L), file.path(folder, "shared_block"))
