#' Run code that uses the package mirai on tenkai
#'
#' Puts a package called `mirai` before all others, which has the 41 functions of
#' mirai 2.7.3, with their arguments and values, and gives what they are asked to the
#' dispatcher, the profiles and the launchers of tenkai. Code that uses mirai, such as
#' `purrr::in_parallel()`, `tune`, `mlr3` or Shiny's `ExtendedTask`, then runs on the
#' daemons of tenkai without an edit. Both see the same compute profiles: what
#' `tenkai::daemons(profile = "gpu")` has set, such code uses.
#'
#' Call it before anything loads mirai, or set `TENKAI_AS_MIRAI=1` in the environment,
#' which does it as tenkai is loaded. That package is no version of mirai and is
#' installed into no library of yours: it is made from the source that came with the
#' program, at the first call, into `lib/tenkai/as-mirai` beside the program, or, where
#' that cannot be written, into the folder of [tools::R_user_dir()] for caches. This
#' takes 2 s.
#'
#' Tasks find it as well, also on daemons from elsewhere: there in the same library,
#' where that can be seen, else in one of their own.
#'
#' It differs from mirai in this: daemons are those of tenkai, and those of mirai cannot
#' connect; `nextget("cv")` is `NULL`, so package crew does not run on it (for
#' targets, see [tenkai_controller()]).
#'
#' `http_config()` launches on a Posit Workbench, or on any server that is asked over
#' HTTP, if package nanonext is installed. The credential of a daemon stands in what
#' the job is told to run, and so in the list of processes there; it is good for one
#' daemon, once.
#'
#' @return The library that it is in, a path, invisibly. It is an error, of class
#'   `tenkai_mirai_is_loaded`, if the real package is loaded already.
#' @examples
#' \dontrun{
#' # It lasts as long as the session.
#' use_as_mirai()
#' library(mirai)
#' daemons(2)
#' mirai_map(1:3, function(x) x + 1)[.flat]
#' daemons(0)
#' }
#' @export
use_as_mirai <- function() {
  library <- library_as_mirai()
  if ("mirai" %in% loadedNamespaces()) {
    path <- getNamespaceInfo("mirai", "path")
    if (dirname(path) != library) stop(mirai_is_loaded(path))
    return(invisible(library))
  }
  found$as_mirai <- library
  for (name in names(profiles)) share_as_mirai(name)
  if (identical(.libPaths()[1L], library)) return(invisible(library))
  .libPaths(c(library, .libPaths()))
  message("tenkai: the package mirai is tenkai's in this session (the functions ",
          "of mirai ", version_as_mirai(library), ")")
  invisible(library)
}

# Tasks find it, too: local daemons have the libraries of the session, those that
# come from elsewhere, or were there before, are told.
share_as_mirai <- function(name) {
  library <- found$as_mirai
  profile <- profiles[[name]]
  if (is.null(library) || is_here(profile) || !is_alive(profile)) return()
  told <- quote({
    become(library)
    NULL
  })
  everywhere(told, .args = list(become = become_as_mirai, library = library),
             .compute = name)
}

# In a daemon. On a machine that does not have the library it is its own.
become_as_mirai <- function(library) {
  if ("mirai" %in% loadedNamespaces()) return()
  if (!file.exists(file.path(library, "mirai", "DESCRIPTION"))) {
    library <- tryCatch(library_as_mirai(), error = function(e) NULL)
  }
  if (length(library)) .libPaths(c(library, .libPaths()))
}

mirai_is_loaded <- function(path) {
  users <- Filter(function(name) {
    "mirai" %in% names(getNamespaceImports(name))
  }, setdiff(loadedNamespaces(), "base"))
  structure(
    class = c("tenkai_mirai_is_loaded", "error", "condition"),
    list(call = NULL, message = paste0(
      "the package mirai in ", path, " is loaded already",
      if (length(users)) paste0(", used by ", paste(users, collapse = ", ")),
      ": start R again, and call tenkai::use_as_mirai() before anything else, ",
      "or set TENKAI_AS_MIRAI=1 before R starts and load tenkai first"
    ))
  )
}

version_as_mirai <- function(library) {
  said <- read.dcf(file.path(library, "mirai", "DESCRIPTION"), "Version")
  sub("^([0-9]+[.][0-9]+[.][0-9]+).*", "\\1", said[1L])
}

# --- the library that it is in ---

# Beside the program, or in the user's cache; made where it is in neither.
library_as_mirai <- function() {
  place <- dirname(dirname(find_program()))
  source <- source_as_mirai(place)
  key <- key_as_mirai(source)
  cache <- tools::R_user_dir("tenkai", "cache")
  libraries <- file.path(c(file.path(place, "lib", "tenkai"), cache), "as-mirai",
                         key)
  made <- libraries[file.exists(file.path(libraries, "mirai", "DESCRIPTION"))]
  if (length(made)) return(normalizePath(made[1L]))
  for (library in libraries) {
    folder <- dirname(library)
    dir.create(folder, FALSE, TRUE, mode = "0755")
    if (file.access(folder, 2L) == 0L) return(make_as_mirai(source, library))
  }
  stop("a library for the package mirai can be made neither in ",
       paste(dirname(libraries), collapse = " nor in "), ": they cannot be ",
       "written. R_USER_CACHE_DIR names another folder", call. = FALSE)
}

# In an installation, or in the checkout whose build it is.
source_as_mirai <- function(place) {
  places <- file.path(c(file.path(place, "share", "tenkai"), dirname(place),
                        getNamespaceInfo("tenkai", "path")), "compat", "mirai")
  found <- places[file.exists(file.path(places, "DESCRIPTION"))]
  if (length(found)) return(found[1L])
  stop("the source of tenkai's package mirai is neither in ",
       paste(places, collapse = " nor in "), ": install the program again, ",
       "from the same release", call. = FALSE)
}

# What it is made of, in one word: another source, tenkai or R has another library.
key_as_mirai <- function(source) {
  files <- sort(list.files(source, recursive = TRUE, full.names = TRUE))
  parts <- c(tools::md5sum(files), version(), as.character(getRversion()),
             getNamespaceInfo("tenkai", "path"))
  file <- tempfile("tenkai-")
  on.exit(unlink(file))
  writeLines(parts, file)
  paste0(version(), "-", substr(tools::md5sum(file), 1L, 12L))
}

# Whole, or not at all: another session may be making it, too.
make_as_mirai <- function(source, library) {
  attempt <- tempfile("making-", dirname(library))
  on.exit(unlink(attempt, recursive = TRUE))
  dir.create(attempt)
  said <- suppressWarnings(system2(
    file.path(R.home("bin"), "R"), stdout = TRUE, stderr = TRUE,
    c("CMD", "INSTALL", "--no-docs", "--no-lock", "--no-test-load",
      shQuote(paste0("--library=", attempt)), shQuote(normalizePath(source))),
    # It loads tenkai, which would make it, too.
    env = c("TENKAI_AS_MIRAI=0",
            paste0("R_LIBS=", shQuote(paste(.libPaths(), collapse = ":"))))
  ))
  if (length(attr(said, "status"))) {
    stop("the package mirai cannot be made from ", source, ":\n",
         paste(said, collapse = "\n"), call. = FALSE)
  }
  # Where it is there by now, it stays.
  if (!suppressWarnings(file.rename(attempt, library)) &&
      !file.exists(file.path(library, "mirai", "DESCRIPTION"))) {
    stop("the package mirai cannot be put into ", library, call. = FALSE)
  }
  normalizePath(library)
}
