# Bytes that are deadly for R, or run code in it, as the results of tasks. What
# answers is deadly_payloads.py. That the bytes are live is shown in R processes
# of their own, by R's unserialize() without us.
source("common.R")

marker <- file.path(work, "marker")
marked <- function() {
  was <- file.exists(marker)
  unlink(marker)
  was
}

# --- how R writes things, by hand ---

int <- function(...) writeBin(as.integer(c(...)), raw(), endian = "little")
real <- function(...) writeBin(as.double(c(...)), raw(), endian = "little")
chars <- function(text) c(int(0x40009, nchar(text)), charToRaw(text))
symbol <- function(name) c(int(1), chars(name))
header <- serialize(NULL, NULL, xdr = FALSE)[1:23]
value_in <- function(x) serialize(x, NULL, xdr = FALSE)[-(1:23)]
nothing <- int(0xFE)
stream <- function(...) c(header, ...)
nested <- function(n) stream(rep(int(19, 1), n), nothing)
altrep <- function(class, type, state) {
  c(int(0xEE, 2), symbol(class), int(2), symbol("base"), int(2, 13, 1, type),
    nothing, state, nothing)
}
promise <- c(int(0x405, 0xFD, 0xFC),
             value_in(bquote(file.create(.(marker)))))

# A package whose loading is seen.
library_of_marker <- file.path(work, "library")
source_of_marker <- file.path(work, "tenkaimarker")
dir.create(library_of_marker)
dir.create(file.path(source_of_marker, "R"), recursive = TRUE)
writeLines(c("Package: tenkaimarker", "Version: 1.0"),
           file.path(source_of_marker, "DESCRIPTION"))
writeLines("", file.path(source_of_marker, "NAMESPACE"))
writeLines(sprintf(".onLoad <- function(...) file.create(\"%s\")", marker),
           file.path(source_of_marker, "R", "load.R"))
installed <- system2(file.path(R.home("bin"), "R"),
                     c("CMD", "INSTALL", "--no-test-load",
                       paste0("--library=", library_of_marker),
                       source_of_marker), stdout = FALSE, stderr = FALSE)
check("a package with a marker is installed", installed == 0L)
.libPaths(c(library_of_marker, .libPaths()))
unlink(marker)

model <- serialize(lm(mpg ~ wt, mtcars), NULL, xdr = FALSE)
deadly <- c(
  list(
    promise = stream(promise),
    promise_in_a_list = stream(int(19, 1), promise),
    deep = nested(100000L),
    deep_chain = stream(rep(int(2, 0xFE), 100000L), nothing),
    deep_attributes = stream(int(0x20D, 0),
                             rep(c(int(0x402), symbol("a"), int(0x20D, 0)),
                                 50000L), nothing),
    long = stream(int(13, 2e9)),
    very_long = stream(int(14, -1, 60000, 0)),
    long_list = stream(int(19, 2e9)),
    long_string = stream(int(16, 1, 0x40009, 2e9)),
    negative_string = stream(int(16, 1, 0x40009, -5)),
    long_builtin = stream(int(8, 2e9)),
    mapped_file = stream(altrep(
      "mmap_integer", 13L,
      c(int(2), value_in("/etc/hostname"), int(2, 14, 2), real(4, 1),
        int(2, 13, 4, 13, 1, 0, 1), nothing)
    )),
    vector_of_no_type = stream(altrep("compact_intseq", 0x120010,
                                      c(int(14, 3), real(3, 1, 1)))),
    sequence_of_nothing = stream(altrep("compact_intseq", 13L, nothing)),
    wrapped_nothing = stream(altrep("wrap_real", 14L, nothing)),
    surrounded_by_number = stream(int(4, 0, 13, 1, 1), nothing, nothing,
                                  nothing),
    table_without_rows = stream(int(4, 0, 0xFD), nothing, int(19, 0), nothing),
    encloses_itself = stream(int(4, 0, 0x1FF), nothing, nothing, nothing),
    matrix_without_elements = stream(int(0x20D, 1, 1, 0x402), symbol("dim"),
                                     int(13, 2, 30000, 30000), nothing),
    names_without_end = stream(int(0x20D, 2, 1, 2, 0x402), symbol("names"),
                               int(16, 0), nothing),
    ascii = charToRaw("A\n3\n262658\n197888\n5\nUTF-8\n254\n"),
    nothing = raw(),
    random = as.raw(sample.int(256L, 1e6, TRUE) - 1L)
  ),
  lapply(seq(100L, length(model), 100L), function(n) model[seq_len(n)])
)
# What is a value in R, and runs code.
tempting <- list(
  namespace = stream(int(0xF9, 0, 2), chars("tenkaimarker"), chars("1.0")),
  promise_in_an_environment = stream(
    int(4, 0, 0xFD, 0x402), symbol("x"), promise, nothing, nothing, nothing
  ),
  function_of_ours = stream(value_in(function() NULL)),
  model = model
)

# --- ten thousand streams that nobody thought of ---

types <- as.raw(c(1:10, 13:25, 238:255))
templates <- lapply(list(
  1:10, c(a = 1, b = 2), letters, list(a = 1, b = list("c", NULL)),
  data.frame(a = 1:3, b = letters[1:3]), factor(c("x", "y")), y ~ x + z,
  matrix(1:4, 2L, dimnames = list(c("a", "b"), NULL)), Sys.time(),
  compiler::cmpfun(function(x) for (i in 1:3) x[i, ] <- 1),
  local({ x <- 1; environment() }), sort(c(3, 1, 2)), as.character(1:100),
  simpleError("e", quote(f(x))), getClass("numeric"), as.name("a"), TRUE
), serialize, NULL, xdr = FALSE)

mutant <- function() {
  bytes <- templates[[sample.int(length(templates), 1L)]]
  for (i in seq_len(sample.int(3L, 1L))) {
    at <- 23L + sample.int(max(1L, length(bytes) - 23L), 1L)
    at <- min(at, length(bytes))
    bytes <- switch(
      sample.int(4L, 1L),
      replace(bytes, at, as.raw(sample.int(256L, 1L) - 1L)),
      replace(bytes, at, sample(types, 1L)),
      bytes[-(at:min(length(bytes), at + sample.int(20L, 1L)))],
      {
        other <- templates[[sample.int(length(templates), 1L)]]
        from <- sample.int(length(other), 1L)
        c(bytes[1:at], other[from:min(length(other), from + 40L)],
          bytes[at:length(bytes)])
      }
    )
  }
  bytes
}

# --- giving them to R ---

write_payloads <- function(payloads, file) {
  connection <- file(file, "wb")
  on.exit(close(connection))
  for (each in payloads) {
    writeBin(length(each), connection, endian = "little")
    writeBin(each, connection)
  }
  file
}

# Another R, and no tenkai: whether it ends as it should, having looked at them.
survives_alone <- function(payloads) {
  file <- write_payloads(payloads, file.path(work, "alone"))
  code <- sprintf(paste(
    ".libPaths(c('%s', .libPaths())); connection <- file('%s', 'rb')",
    "while (length(n <- readBin(connection, 1L, endian = 'little'))) {",
    "bytes <- readBin(connection, 'raw', n)",
    "try({ value <- unserialize(bytes); print(value) }, silent = TRUE) }",
    sep = "\n"
  ), library_of_marker, file)
  script <- file.path(work, "alone.R")
  writeLines(code, script)
  system2("timeout", c("60", file.path(R.home("bin"), "Rscript"), "--vanilla",
                       script), stdout = FALSE, stderr = FALSE) == 0L
}

# The values of as many tasks as there are payloads, each in a list of its own.
answers <- function(payloads, safe) {
  url <- local_url()
  daemons(1, url = url, safe = safe, .compute = "hostile")
  # Strings in an encoding that R does not know, and the like.
  quietly <- options(warn = -1)
  on.exit({
    options(quietly)
    daemons(0, .compute = "hostile")
  })
  file <- write_payloads(payloads, file.path(work, "payloads"))
  system2("python3", c("deadly_payloads.py", sub("^abstract://", "", url),
                       Sys.getenv("TENKAI_FLOW_VERSION"), file), wait = FALSE)
  tasks <- lapply(payloads, function(each) mirai(NULL, .compute = "hostile"))
  lapply(tasks, function(m) list(call_mirai(m)$data))
}

is_refused <- function(answer) {
  message <- attr(answer[[1L]], "message", exact = TRUE)
  is_error_value(answer[[1L]]) && unclass(answer[[1L]]) == 13L &&
    startsWith(message, "invalid result: ")
}

# Looks at all of a value, without running what it holds.
look_at <- function(answer) {
  length(serialize(answer, NULL)) + unclass(utils::object.size(answer))
}

peak <- function() {
  line <- grep("^VmPeak", lines_of_process(Sys.getpid(), "status"),
               value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

# --- the bytes are live ---

check("R alone dies of a deep list", !survives_alone(deadly["deep"]))
# R 4.5 reads a chain in a loop, and takes the string for an error.
if (getRversion() < "4.3.0") {
  check("R alone dies of a long chain", !survives_alone(deadly["deep_chain"]))
  check("R alone dies of a negative string",
        !survives_alone(deadly["negative_string"]))
}
check("R alone dies of a vector of no type",
      !survives_alone(deadly["vector_of_no_type"]))
check("R alone dies of looking at a matrix without elements",
      !survives_alone(deadly["matrix_without_elements"]))
if (getRversion() < "4.4.0") {
  invisible(survives_alone(deadly["promise"]))
  check("R alone runs a promise that it is sent", marked())
}
invisible(survives_alone(tempting["namespace"]))
check("R alone loads a namespace that it is sent", marked())

# --- what becomes of them here ---

for (safe in c(FALSE, TRUE)) {
  under <- if (safe) ", with safe = TRUE" else ""
  before <- peak()
  values <- answers(deadly, safe)
  refused <- vapply(values, is_refused, NA)
  check(sprintf("all %d deadly results are refused%s", length(deadly), under),
        all(refused))
  if (!all(refused)) print(names(deadly)[!refused])
  check(sprintf("nothing was allocated for them (%.0f MB)%s", peak() - before,
                under), peak() - before < 256)
  output <- utils::capture.output(for (each in values) print(each[[1L]]))
  check(paste0("each says that it is an invalid result", under),
        sum(grepl("invalid result: ", output)) == length(deadly))
  check(paste0("none of them ran anything", under), !marked())

  values <- answers(tempting, safe)
  if (safe) {
    check("with safe = TRUE what could run code is refused",
          all(vapply(values, is_refused, NA)))
    invisible(lapply(values, look_at))
    check("with safe = TRUE nothing was run", !marked())
  } else {
    check("functions and models are values",
          is.function(values$function_of_ours[[1L]]) &&
            inherits(values$model[[1L]], "lm"))
    unlink(marker)
  }
}

set.seed(20240427L)
mutants <- replicate(10000L, mutant(), simplify = FALSE)
check("R alone dies of one of 10,000 mutants", !survives_alone(mutants))
unlink(marker)
for (safe in c(FALSE, TRUE)) {
  values <- unlist(lapply(split(mutants, rep(1:10, each = 1000L)), answers,
                          safe = safe), recursive = FALSE)
  refused <- sum(vapply(values, is_refused, NA))
  invisible(lapply(values, look_at))
  check(sprintf("the session survives 10,000 mutants, %d refused%s", refused,
                if (safe) " with safe = TRUE" else ""),
        length(values) == 10000L && refused > 5000L)
}

# The session is as good as before.
invisible(daemons(1))
check("tasks run as ever", identical(call_mirai(mirai(6 * 7))$data, 42))
finish()
