# Going back, after a task, to how R was before it. Each of these is called
# where C++ has seen a change, and does what it can: a daemon goes on.

restore_packages <- function(baseline) {
  for (name in setdiff(search(), baseline)) {
    # Detached, never unloaded: code that is still referred to would crash.
    quietly(detach(name, character.only = TRUE))
  }
  # In the order of their places, so that each place is right.
  for (name in setdiff(grep("^package:", baseline, value = TRUE), search())) {
    quietly(library(sub("package:", "", name, fixed = TRUE),
                    character.only = TRUE, pos = match(name, baseline)))
  }
}

# The function that does it, and returns what is to be gone back to from then on:
# packages that a task has loaded stay so, and need the options that they have made.
options_restorer <- function() {
  known <- loadedNamespaces()
  function(saved) {
    new <- setdiff(names(options()), names(saved))
    loaded <- setdiff(loadedNamespaces(), known)
    known <<- loadedNamespaces()
    kept <- if (length(new)) named_by_packages(new, loaded)
    for (name in setdiff(new, kept)) quietly(options(none_named(name)))
    saved <- c(saved, options()[kept])
    # Last: a limit of nested calls among them may leave us little room.
    quietly(options(saved))
    saved
  }
}

# Those of the options that are of one of these packages: they begin with its name,
# as datatable.verbose does with that of data.table, or what runs when it is loaded
# speaks of them. To look through all of its code takes seconds.
named_by_packages <- function(names, packages) {
  is_named <- logical(length(names))
  for (package in packages) {
    is_named[!is_named] <- startsWith(plain_name(names[!is_named]),
                                      plain_name(package))
    if (all(is_named)) break
    code <- tryCatch(code_of_loading(package), error = function(e) raw())
    has <- function(name) length(grepRaw(name, code, fixed = TRUE)) > 0L
    is_named[!is_named] <- vapply(names[!is_named], has, NA)
  }
  names[is_named]
}

plain_name <- function(names) gsub("[^a-z0-9]", "", tolower(names))

# As bytes: .onLoad(), and the functions of the package that it calls, and so on.
code_of_loading <- function(package, most = 100L) {
  space <- asNamespace(package)
  functions <- list()
  due <- ".onLoad"
  while (length(due) && length(functions) < most) {
    f <- get0(due[1L], space, mode = "function", inherits = FALSE)
    code <- if (is.function(f)) body(f)
    functions[[due[1L]]] <- list(code)
    due <- setdiff(c(due[-1L], intersect(all.names(code), names(space))),
                   names(functions))
  }
  serialize(functions, NULL, xdr = FALSE)
}

# list(name = NULL), which options() takes as "remove this one".
none_named <- function(name) {
  empty <- list(NULL)
  names(empty) <- name
  empty
}

# What a task may have set beside objects, packages and options.
global_state <- function() {
  list(output = sink.number(), messages = sink.number("message"),
       devices = open_devices(), locale = locale(), kind = RNGkind())
}

restore_global_state <- function(before) {
  quietly(restore_sinks(before))
  for (device in setdiff(open_devices(), before$devices)) {
    quietly(grDevices::dev.off(device))
  }
  set_locale(before$locale)
}

# Whatever options(warn =) is.
quietly <- function(expr) {
  try(suppressWarnings(suppressMessages(expr)), silent = TRUE)
}

open_devices <- function() {
  if (isNamespaceLoaded("grDevices")) grDevices::dev.list()
}

locale <- function() {
  categories <- c("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC",
                  "LC_TIME", "LC_MESSAGES")
  vapply(categories, Sys.getlocale, "")
}

# `wanted`: as locale() has it.
set_locale <- function(wanted) {
  now <- locale()
  for (category in names(now)[now != unlist(wanted)]) {
    quietly(Sys.setlocale(category, wanted[[category]]))
  }
}

# For a daemon without a stream of its own, whose first task has drawn numbers.
restore_kind <- function(before) {
  if (identical(RNGkind(), before$kind)) return()
  quietly(do.call(RNGkind, as.list(before$kind)))
  rm(".Random.seed", envir = globalenv())
}

# --- output and messages that nobody is to see ---

quiet <- new.env()

silence <- function(level) {
  if (!is_null_file(quiet$null)) quiet$null <- file(nullfile(), open = "w")
  while (sink.number() < level) sink(quiet$null)
  sink(quiet$null, type = "message")
}

end_silence <- function(level) {
  sink(type = "message")
  while (sink.number() > level) sink()
  quietly(close(quiet$null))
  quiet$null <- NULL
}

restore_sinks <- function(before) {
  while (sink.number() > before$output) sink()
  if (!is.null(quiet$null)) {
    silence(before$output)
  } else if (before$messages == 2L) {
    sink(type = "message")
  } else {
    sink(getConnection(before$messages), type = "message")
  }
}

# A task may have closed it, and another connection have its number.
is_null_file <- function(connection) {
  if (is.null(connection)) return(FALSE)
  tryCatch(summary(connection)$description == nullfile(),
           error = function(e) FALSE)
}
