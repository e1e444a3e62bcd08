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
  for (name in names(profiles)) close_link(profiles[[name]])
  if (!is.null(found$ephemeral)) close_link(list(link = found$ephemeral))
  # A daemon goes on with what it has: a task may have unloaded all packages.
  if (is.null(found$daemon)) library.dynam.unload("tenkai", libpath)
}

# What the dispatcher has to say to the user; C++ calls it. `launches`: those that a
# sentence is about, as status() has them, or "".
tell <- function(sentences, launches) {
  for (i in seq_along(sentences)) {
    if (nzchar(launches[i])) {
      message(launch_condition(sentences[i], launches[i]))
    } else {
      message("tenkai: ", harmless(sentences[i]))
    }
  }
}
