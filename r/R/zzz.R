.onLoad <- function(libname, pkgname) {
  space <- parent.env(environment())
  found$version <- unname(getNamespaceInfo(space, "spec")["version"])
  .Call(tk_set_functions, reader_of, tell, evaluation_space())
  register_promises()
}

.onUnload <- function(libpath) {
  for (name in names(profiles)) .Call(tk_close, profiles[[name]]$link, 0L)
  if (!is.null(found$ephemeral)) .Call(tk_close, found$ephemeral, 0L)
  library.dynam.unload("tenkai", libpath)
}

# What the dispatcher has to say to the user; C++ calls it.
tell <- function(notes) {
  for (note in notes) message("tenkai: ", note)
}
