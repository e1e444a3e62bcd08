# Hooks for objects that R cannot serialize. The package in pointers/ has some.

# It is compiled once, and then on the paths of this session and of the daemons
# that are started in the rest of a test.
compiled <- new.env()

pointers_library <- function() {
  if (!is.null(compiled$library)) return(compiled$library)
  folder <- tempfile("library-")
  source <- tempfile("source-")
  for (each in c(folder, source)) dir.create(each)
  file.copy(test_path("pointers"), source, recursive = TRUE)
  said <- suppressWarnings(system2(
    file.path(R.home("bin"), "R"), stdout = TRUE, stderr = TRUE,
    c("CMD", "INSTALL", "--no-docs", "--no-test-load", "-l", shQuote(folder),
      shQuote(file.path(source, "pointers")))
  ))
  if (!is.null(attr(said, "status"))) stop(paste(said, collapse = "\n"))
  compiled$library <- folder
}

use_pointers <- function(frame = parent.frame()) {
  before <- .libPaths()
  do.call(on.exit, list(bquote(.libPaths(.(before))), TRUE, FALSE),
          envir = frame)
  .libPaths(c(pointers_library(), before))
  loadNamespace("pointers")
}

# serialization() for the rest of a test, without its words.
set_hooks <- function(..., frame = parent.frame()) {
  do.call(on.exit,
          list(quote(suppressMessages(serialization(NULL))), TRUE, FALSE),
          envir = frame)
  suppressMessages(serialization(...))
}

set_pointer_hooks <- function(frame = parent.frame()) {
  package <- use_pointers(frame)
  set_hooks(list(package$to_raw, package$from_raw), class = "pointer",
            frame = frame)
  package
}

# An object that needs no package: an environment of class "box".
box <- function(x) structure(list2env(list(x = x)), class = "box")
box_config <- function(class = "box") {
  serial_config(class, function(box) serialize(box$x, NULL), function(raw) {
    structure(list2env(list(x = unserialize(raw), made = TRUE)), class = "box")
  })
}

fails_with <- function(value, message) {
  expect_s3_class(value, "miraiError")
  expect_s3_class(value$condition, "tenkai_serialization_error")
  expect_match(value, message)
}
