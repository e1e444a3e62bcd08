.onLoad <- function(libname, pkgname) {
  space <- parent.env(environment())
  found$version <- unname(getNamespaceInfo(space, "spec")["version"])
  .Call(tk_set_functions, reader_of, tell, hear, evaluation_space())
  set_hook_functions()
  register_promises()
  register_future()
  register_beside_mirai()
  register_plumber()
  if (isTRUE(Sys.getenv("TENKAI_AS_MIRAI") == "1") && !is_starting()) {
    use_as_mirai()
  }
}

# library() need not tell that stats::profile() is hidden: ours passes on to it.
.onAttach <- function(libname, pkgname) {
  assign(".conflicts.OK", TRUE, envir = as.environment("package:tenkai"))
}

.onUnload <- function(libpath) {
  for (name in names(profiles)) .Call(tk_close, profiles[[name]]$link, 0L)
  if (!is.null(found$ephemeral)) .Call(tk_close, found$ephemeral, 0L)
  # A daemon goes on with what it has: a task may have unloaded all packages.
  if (is.null(found$daemon)) library.dynam.unload("tenkai", libpath)
}

# What the dispatcher has to say to the user; C++ calls it. Behind the sentence may
# stand the launches it is about.
tell <- function(notes) {
  for (note in notes) {
    parts <- strsplit(note, "\x1f", fixed = TRUE)[[1L]]
    if (length(parts) == 2L) message(launch_condition(parts[1L], parts[2L])) else
      message("tenkai: ", harmless(note))
  }
}
