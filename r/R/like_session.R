# Daemons on the machine of the session are like it: they have its libraries,
# working directory, time zone and locale. These travel in the environment of the
# dispatcher, which its daemons inherit; each takes them over once its start-up
# files have said what they say.

# How the session is now, as variables.
session_environment <- function() {
  paths <- .libPaths()
  own <- setdiff(own_library(), paths)
  zone <- Sys.getenv("TZ", NA)
  c(paste0("R_LIBS=", path_list(paths)),
    # The library of R itself is that of the R which is started, in the same place.
    paste0("TENKAI_LIBRARIES=", path_list(c(ifelse(
      paths == normalizePath(.Library), ".Library", paths
    ), own))),
    paste0("TENKAI_OWN_LIBRARY=", own),
    paste0("TENKAI_DIRECTORY=", getwd()),
    paste0("TENKAI_TIME_ZONE", if (!is.na(zone)) paste0("=", zone)),
    paste0("TENKAI_LOCALE=", paste(pairs_of(as.list(locale())), collapse = ";")))
}

path_list <- function(paths) paste(paths, collapse = .Platform$path.sep)

# Where this package is: the session may have turned to other libraries since.
own_library <- function() {
  normalizePath(dirname(getNamespaceInfo("tenkai", "path")))
}

# In a daemon, before it serves. Where it is not started as one of this machine,
# the variables may have come along, and are not meant for it.
become_like_session <- function() {
  told <- as.list(Sys.getenv(for_local, NA, names = TRUE))
  Sys.unsetenv(for_local)
  if (is.na(told$TENKAI_LOCAL)) return()
  set_locale(from_pairs(strsplit(told$TENKAI_LOCALE, ";", fixed = TRUE)[[1L]]))
  zone <- told$TENKAI_TIME_ZONE
  if (is.na(zone)) Sys.unsetenv("TZ") else Sys.setenv(TZ = zone)
  # The directory may be gone.
  if (!identical(told$TENKAI_DIRECTORY, getwd())) {
    quietly(setwd(told$TENKAI_DIRECTORY))
  }
  # This package is loaded by now.
  if (nzchar(told$TENKAI_OWN_LIBRARY)) {
    .libPaths(setdiff(.libPaths(), told$TENKAI_OWN_LIBRARY), FALSE)
  }
}

for_local <- c("TENKAI_LOCAL", "TENKAI_OWN_LIBRARY", "TENKAI_DIRECTORY",
               "TENKAI_TIME_ZONE", "TENKAI_LOCALE")

# --- options, where asked for ---

# `options` of daemons(): the options of the session that are asked for, as they
# are now; or values for them.
options_asked <- function(options) {
  if (!length(options) || identical(options, FALSE)) return()
  if (isTRUE(options)) options <- usual_options
  if (is.list(options)) {
    return(possible_options(named_objects(options, "options")))
  }
  if (!is.character(options) || anyNA(options)) {
    stop("'options' must be TRUE, names of options, or a named list of their ",
         "values, not ", describe(options), call. = FALSE)
  }
  all <- base::options()
  all[unlist(lapply(options, options_named, names(all)))]
}

# The daemons would take none of them where one is wrong, and nobody looks there.
possible_options <- function(values) {
  before <- lapply(stats::setNames(nm = names(values)), getOption)
  on.exit(base::options(before))
  tryCatch(base::options(values), error = function(e) {
    stop("'options' cannot be set: ", conditionMessage(e), call. = FALSE)
  })
  values
}

# A name, or a pattern such as "tenkai.*".
options_named <- function(name, all) {
  if (name %in% all) return(name)
  if (grepl("*", name, fixed = TRUE)) {
    return(grep(utils::glob2rx(name), all, value = TRUE))
  }
  stop("'options' has the name \"", name, "\", and this session has no such ",
       "option", call. = FALSE)
}

usual_options <- c("warn", "digits", "scipen", "OutDec", "encoding", "tenkai.*")

# All daemons of a profile get them before their first task. What everywhere() has
# set is what they come back to after each.
share_options <- function(name, values) {
  if (!length(values)) return()
  done <- FALSE
  on.exit(if (!done) reset(name, "end"))
  everywhere({
    base::options(values)
    NULL
  }, .args = list(values = values), .compute = name)
  done <- TRUE
}
