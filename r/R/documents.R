# Daemons that a document sets end with it where it fails. The session goes on
# where rmarkdown::render() was called at its prompt, and nobody would know of them.

# Called where daemons have been set: `profile` is what is set under `name`.
end_with_document <- function(name, profile) {
  if (!isTRUE(getOption("knitr.in.progress"))) return(invisible())
  frames <- sys.frames()
  frame <- frame_of_document(frames, lapply(seq_along(frames), sys.function))
  if (is.null(frame)) return(invisible())
  end <- function() {
    if (identical(profiles[[name]], profile)) reset(name, "end")
  }
  none <- new.env()
  do.call(on.exit, list(bquote(
    if (identical(returnValue(.(none)), .(none))) .(end)()
  ), TRUE), envir = frame)
}

# The outermost of the calls under way that makes a document: a child is
# part of its parent, and what is knitted goes on to pandoc.
frame_of_document <- function(frames, functions) {
  makers <- list(made_by("rmarkdown", "render"), made_by("knitr", "knit"))
  makes <- vapply(functions, function(f) {
    any(vapply(makers, identical, NA, f))
  }, NA)
  if (any(makes)) frames[[which(makes)[1L]]]
}

made_by <- function(package, name) {
  if (isNamespaceLoaded(package)) get0(name, asNamespace(package))
}
