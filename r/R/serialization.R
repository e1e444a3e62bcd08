#' Objects that R cannot serialize
#'
#' What an external pointer points to, such as an Arrow table or a torch tensor,
#' does not travel between R processes by itself. Hooks make it travel: a
#' function that makes a raw vector of an object, and one that makes the object
#' of the raw vector. They apply to arguments of [mirai()] and [everywhere()]
#' and to the values of mirais, wherever in a list, an attribute or an
#' environment the object is.
#'
#' `serialization()` registers hooks for one class, for all compute profiles,
#' those that are set and those to come, and for mirais without daemons. Called
#' again it replaces them. `serial_config()` describes hooks for one or several
#' classes, for the argument `serial` of [daemons()]. `register_serial()` is for
#' packages, which call it when they are loaded: daemons that are set afterwards
#' have these hooks if they are not given others.
#'
#' The daemons get the hooks by themselves, also those that connect later, so a
#' daemon needs the packages that the hooks use, and nothing else.
#'
#' @section What hooks are called for:
#' R asks only about external pointers, weak references and environments, and
#' only objects of the registered class, which they may inherit, are given to
#' the hooks. R6 objects, which are environments, and all other environments are
#' left alone unless their class is registered; of an S4 object, or one of a
#' reference class, R asks about the pointers and environments in it. Where
#' several classes of an object are registered, the first of its `class()`
#' counts; where several configurations have hooks for one class, `serial` of
#' [daemons()] comes first, then `serialization()`, then `register_serial()`. An
#' object that is met several times in a value is given to its hook once, and is
#' one object again at the other side.
#'
#' The condition in an error value is sent without hooks, and so is what results
#' hold with `safe = TRUE` of [daemons()]: objects made by hooks are not data,
#' and are refused.
#'
#' @section When a hook fails:
#' A serialization hook that fails, or returns no raw vector, makes the value a
#' `miraiError`, whether it is called for arguments or for a result; of a
#' [mirai_map()] that of the element that it is called for. An unserialization hook
#' that fails makes the value a `miraiError` in the daemon, and in the session an
#' error value 1000, whose attribute `message` says why. So does a hook that is
#' missing at the other side, because it is in a package that is not installed
#' there. The message names the class and the hook; the condition has the class
#' `tenkai_serialization_error`, with the fields `class`, `hook`
#' (`"serialization"` or `"unserialization"`) and `parent`, the original
#' condition.
#'
#' @param refhook a list of two functions: the first makes a raw vector of an
#'   object, the second the object of the raw vector. `NULL`: cancels what was
#'   registered. If not given, nothing changes.
#' @param class the class of the objects: for `serialization()` a single string
#'   (with the default, `""`, the functions are registered but not used), for
#'   the others a character vector.
#' @param vec `TRUE`: the functions take and return all objects of the class in
#'   one call: the first makes one raw vector of a list of objects, the second a
#'   list of the same length of that.
#' @param sfunc a function that makes a raw vector of an object of `class`;
#'   where there are several classes, a list of functions, one for each.
#' @param ufunc a function that makes an object of such a raw vector; or a list.
#'
#' @return `serialization()`: invisibly, a pairlist of the two functions that
#'   are registered now, `NULL` where there are none; it says on standard error
#'   what it has done. `serial_config()`: a list, the configuration.
#'   `register_serial()`: invisible `NULL`. Arguments that do not fit are
#'   errors.
#' @examples
#' # A handle means something in its own process alone.
#' handle <- function(x) structure(list2env(list(x = x)), class = "handle")
#' config <- serial_config(
#'   "handle",
#'   sfunc = function(handle) serialize(handle$x, NULL),
#'   ufunc = function(raw) {
#'     structure(list2env(list(x = unserialize(raw))), class = "handle")
#'   }
#' )
#' daemons(1, serial = config)
#' m <- mirai(list(answer = mine$x + 1, mine), mine = handle(41))
#' call_mirai(m)$data
#' daemons(0)
#'
#' # The same for all profiles, and with no daemons set.
#' serialization(list(config$sfunc[[1]], config$ufunc[[1]]), class = "handle")
#' serialization(NULL)
#' @export
serialization <- function(refhook = list(), class = "", vec = FALSE) {
  if (!missing(refhook)) {
    if (!is.null(refhook) && !is_hook_pair(refhook)) {
      stop("'refhook' must be a list of 2 functions or NULL")
    }
    if (!is.null(refhook)) {
      check_hook_class(class)
      check_flag(vec, "vec")
    }
    set_own_hooks(refhook, if (!is.null(refhook) && nzchar(class)) {
      serial_config(class, refhook[[1L]], refhook[[2L]], vec)
    })
    message("mirai serialization functions ",
            if (is.null(refhook)) "cancelled" else "registered")
  }
  now <- registered$refhook
  if (is.null(now)) now <- list(NULL, NULL)
  invisible(as.pairlist(unname(now)))
}

#' @rdname serialization
#' @export
serial_config <- function(class, sfunc, ufunc, vec = FALSE) {
  if (!is.character(class) || !length(class) || anyNA(class) ||
      !all(nzchar(class)) || anyDuplicated(class)) {
    stop("'class' must be a character vector of different names, not ",
         describe(class), call. = FALSE)
  }
  check_flag(vec, "vec")
  list(class = as.vector(class), sfunc = hook_functions(sfunc, "sfunc", class),
       ufunc = hook_functions(ufunc, "ufunc", class),
       vec = rep(vec, length(class)))
}

#' @rdname serialization
#' @export
register_serial <- function(class, sfunc, ufunc, vec = FALSE) {
  config <- serial_config(class, sfunc, ufunc, vec)
  registered$packages <- merged(list(config, registered$packages))
  renew_ephemeral()
  invisible()
}

# --- the arguments ---

is_hook_pair <- function(x) {
  is.list(x) && length(x) == 2L && is.function(x[[1L]]) && is.function(x[[2L]])
}

check_hook_class <- function(class) {
  if (is.character(class) && length(class) == 1L && !is.na(class)) return()
  stop("'class' must be a single string, not ", describe(class),
       "; serial_config() takes several classes", call. = FALSE)
}

# One function for each class.
hook_functions <- function(given, argument, class) {
  if (is.function(given)) given <- list(given)
  ok <- is.list(given) && length(given) == length(class) &&
    all(vapply(given, is.function, NA))
  if (ok) return(unname(given))
  stop(sprintf("'%s' must be a function, or a list of one for each class, not ",
               argument), describe(given), call. = FALSE)
}

# `serial` of daemons().
check_serial <- function(serial) {
  parts <- c("class", "sfunc", "ufunc", "vec")
  if (is.null(serial)) return()
  ok <- is.list(serial) && all(parts %in% names(serial)) &&
    is.character(serial$class) && !anyNA(serial$class) &&
    is.logical(serial$vec) && !anyNA(serial$vec) &&
    all(lengths(unclass(serial)[parts]) == length(serial$class)) &&
    all(vapply(as.list(serial$sfunc), is.function, NA)) &&
    all(vapply(as.list(serial$ufunc), is.function, NA))
  if (ok) return()
  stop("'serial' must be a configuration made by serial_config(), not ",
       describe(serial), call. = FALSE)
}

# --- what is registered ---

# refhook  what serialization() was given, and `own`, the configuration of it
# packages the configuration made by register_serial()
# known    all hooks that have been sent with tasks, or have come with them, by
#          their id; the oldest are forgotten
registered <- new.env(parent = emptyenv())
registered$known <- list()

most_hooks <- 1000L

# As it was, where they cannot be sent.
set_own_hooks <- function(refhook, config) {
  before <- list(refhook = registered$refhook, own = registered$own)
  done <- FALSE
  on.exit(if (!done) list2env(before, registered))
  registered$refhook <- refhook
  registered$own <- config
  renew_hooks()
  done <- TRUE
}

# Several configurations in one: of several hooks for a class the first counts.
merged <- function(configs) {
  configs <- Filter(Negate(is.null), configs)
  parts <- c("class", "sfunc", "ufunc", "vec")
  all <- lapply(parts, function(part) do.call(c, lapply(configs, `[[`, part)))
  names(all) <- parts
  lapply(all, `[`, !duplicated(all$class))
}

remember_hooks <- function(hooks) {
  known <- registered$known
  known[[hooks$id]] <- hooks
  registered$known <- known[max(1L, length(known) - most_hooks + 1L):
                              length(known)]
  hooks
}

# The hooks of a configuration, as C++ takes them: the classes, and the section
# of a value that holds no object of them. The functions are made bytes class by
# class, so that one that a daemon cannot read spoils no other.
hooks_of <- function(config) {
  if (!length(config$class)) return()
  same <- Find(function(each) {
    !is.null(each$empty) && identical(each[names(config)], config)
  }, registered$known)
  if (!is.null(same)) return(same)
  id <- .Call(tk_random_hex, 8L)
  code <- lapply(seq_along(config$class), code_of, config = config)
  remember_hooks(c(
    list(class = config$class, empty = empty_section(id, config$class, NULL)),
    config[-1L], list(id = id, code = code, carried = NULL)
  ))
}

# R puts the global environment in place of a namespace that it does not find,
# so those that have to be there are named.
code_of <- function(k, config) {
  each <- lapply(config[-1L], `[[`, k)
  spaces <- lapply(each[c("sfunc", "ufunc")], function(hook) {
    space <- topenv(environment(hook) %||% baseenv())
    if (isNamespace(space)) getNamespaceName(space)
  })
  each$namespaces <- unique(unlist(spaces, use.names = FALSE))
  serialize(each, NULL, xdr = FALSE)
}

# The same, with the functions in each section.
carried <- function(hooks) {
  if (is.null(hooks)) return()
  hooks$carried <- hooks$code
  hooks$empty <- empty_section(hooks$id, hooks$class, hooks$code)
  hooks
}

empty_section <- function(id, class, code) {
  list(id, code, class, integer(), list(), NULL)
}

# --- where hooks are used ---

renew_hooks <- function() {
  for (name in names(profiles)) share_hooks(name)
  renew_ephemeral()
}

# Has the tasks of a profile use what is registered now. Its daemons learn it by
# an everywhere(), before they get one of these tasks.
share_hooks <- function(name) {
  profile <- profile_of(name)
  if (is.null(profile)) return()
  hooks <- hooks_of(merged(list(profile$serial, registered$own,
                                profile$defaults)))
  if (is_here(profile)) {
    profile$hooks <- hooks
    return()
  }
  if (!is.null(hooks) && !hooks$id %in% profile$shared) {
    before <- profile$hooks
    done <- FALSE
    on.exit(if (!done) .Call(tk_set_hooks, profile$link, before))
    .Call(tk_set_hooks, profile$link, carried(hooks))
    everywhere(NULL, .compute = name)
    profile$shared <- c(profile$shared, hooks$id)
    done <- TRUE
  }
  profile$hooks <- hooks
  .Call(tk_set_hooks, profile$link, hooks)
}

# The hooks of a profile that has just been set; nothing is left of it where
# they cannot be sent.
begin_hooks <- function(name, serial) {
  profile <- profiles[[name]]
  profile$serial <- serial
  if (is.null(serial)) profile$defaults <- registered$packages
  done <- FALSE
  on.exit(if (!done) reset(name, "end"))
  share_hooks(name)
  done <- TRUE
}

# The bytes that share_hooks() will have the dispatcher keep: they are none of those
# that `memory` of daemons() is for.
size_of_hooks <- function(serial) {
  hooks <- hooks_of(merged(list(serial, registered$own,
                                if (is.null(serial)) registered$packages)))
  if (is.null(hooks)) 0 else length(serialize(hooks$code, NULL)) + 256
}

# A new R for each task has nothing but what comes with the task.
renew_ephemeral <- function() {
  link <- found$ephemeral
  if (is.null(link) || .Call(tk_state, link) != 0L) return()
  config <- merged(list(registered$own, registered$packages))
  .Call(tk_set_hooks, link, carried(hooks_of(config)))
}

# --- what C++ calls ---

# A daemon may have loaded this package anew: what it knew goes on.
set_hook_functions <- function() {
  before <- .Call(tk_set_hook_functions, list(
    make_section, read_in_task, read_in_result, registered,
    make_section_or_failure
  ))
  if (!is.null(before)) registered$known <- before[[4L]]$known
}

# What follows a value: the id of its hooks, their code where it is carried
# along, the classes, the class of each object, and for each class what its hook
# has made; at last the object of each mark, where some are met more than once.
make_section <- function(hooks, objects, of, marks) {
  counts <- tabulate(of, length(hooks$class))
  parts <- lapply(seq_along(counts), function(k) {
    if (counts[k] == length(of)) bytes_of(objects, hooks, k) else
      if (counts[k] > 0L) bytes_of(objects[of == k], hooks, k)
  })
  list(hooks$id, hooks$carried, hooks$class, of, parts, marks)
}

# For what is sent to be evaluated: where a hook fails, that is the value.
make_section_or_failure <- function(hooks, objects, of, marks) {
  tryCatch(make_section(hooks, objects, of, marks),
           tenkai_serialization_error = failed_section)
}

# 64 KiB, as for other conditions that are sent.
failed_section <- function(error) {
  bytes <- tryCatch(serialize(error, NULL, xdr = FALSE), error = identity)
  if (!is.raw(bytes) || length(bytes) > 65536L) {
    error$parent <- simpleError(message_of(error$parent), NULL)
    bytes <- serialize(error, NULL, xdr = FALSE)
  }
  list(bytes)
}

# In a daemon: list(hooks for the value, objects). Code is taken from nobody but
# the session.
read_in_task <- function(section) {
  if (length(section) == 1L) stop(unserialize(section[[1L]]))
  hooks <- registered$known[[section[[1L]]]]
  if (is.null(hooks) && !is.null(section[[2L]])) {
    hooks <- remember_hooks(hooks_from(section))
  }
  if (is.null(hooks)) hooks <- missing_hooks(section)
  list(hooks, objects_of(section, hooks))
}

# In the session: the objects, or why there are none.
read_in_result <- function(section) {
  tryCatch({
    if (!is_section(section)) stop("what came for hooks is nothing they take")
    objects_of(section,
               registered$known[[section[[1L]]]] %||% missing_hooks(section))
  }, error = message_of)
}

# A daemon may have gone wrong.
is_section <- function(x) {
  is.list(x) && length(x) == 6L && !is.object(x) &&
    !any(vapply(x, is.object, NA)) &&
    is.character(x[[1L]]) && length(x[[1L]]) == 1L && is.character(x[[3L]]) &&
    is.integer(x[[4L]]) && is.list(x[[5L]]) &&
    length(x[[5L]]) == length(x[[3L]]) && !anyNA(x[[4L]]) &&
    all(x[[4L]] >= 1L & x[[4L]] <= length(x[[3L]]))
}

# --- calling hooks ---

hooks_from <- function(section) {
  read <- lapply(section[[2L]], function(code) {
    tryCatch({
      each <- unserialize(code)
      for (name in each$namespaces) loadNamespace(name)
      each
    }, error = function(e) {
      why <- paste("cannot be used here:", message_of(e))
      list(sfunc = why, ufunc = why, vec = FALSE)
    })
  })
  list(class = section[[3L]], empty = NULL, sfunc = lapply(read, `[[`, "sfunc"),
       ufunc = lapply(read, `[[`, "ufunc"), vec = vapply(read, `[[`, NA, "vec"),
       id = section[[1L]])
}

# Their reasons stand where the functions would.
missing_hooks <- function(section) {
  why <- as.list(rep("is not registered in this process",
                     length(section[[3L]])))
  list(class = section[[3L]], empty = NULL, sfunc = why, ufunc = why,
       vec = logical(length(why)), id = section[[1L]])
}

bytes_of <- function(objects, hooks, k) {
  class <- hooks$class[k]
  made <- call_hook(hooks$sfunc[[k]], objects, hooks$vec[k], class,
                    "serialization")
  wrong <- if (hooks$vec[k]) !is.raw(made) else .Call(tk_first_not_raw, made)
  if (!wrong) return(made)
  if (!hooks$vec[k]) made <- made[[wrong]]
  stop(hook_error(class, "serialization", paste0(
    "returned ", describe(made), ", where a raw vector is needed"
  )))
}

objects_of <- function(section, hooks) {
  of <- section[[4L]]
  objects <- vector("list", length(of))
  counts <- tabulate(of, length(hooks$class))
  for (k in which(counts > 0L)) {
    made <- made_of(section[[5L]][[k]], counts[k], hooks, k)
    if (counts[k] == length(of)) objects <- made else objects[of == k] <- made
  }
  marks <- section[[6L]]
  if (is.null(marks)) objects else objects[marks]
}

made_of <- function(part, n, hooks, k) {
  class <- hooks$class[k]
  vec <- hooks$vec[k]
  made <- call_hook(hooks$ufunc[[k]], part, vec, class, "unserialization")
  if (is.list(made) && length(made) == n) return(made)
  stop(hook_error(class, "unserialization", paste0(
    "returned ", describe(made), ", where a list of ", n, " objects is needed"
  )))
}

# One call for all, or one for each.
call_hook <- function(hook, x, vec, class, kind) {
  if (!is.function(hook)) stop(hook_error(class, kind, hook))
  tryCatch(if (vec) hook(x) else lapply(x, hook), error = function(e) {
    # It comes from a hook that has led to this one.
    if (inherits(e, "tenkai_serialization_error")) stop(e)
    stop(hook_error(class, kind, paste("failed:", message_of(e)), e))
  })
}

hook_error <- function(class, kind, why, parent = NULL) {
  structure(
    class = c("tenkai_serialization_error", "error", "condition"),
    list(message = sprintf("the %s hook of class '%s' %s", kind, class, why),
         call = NULL, class = class, hook = kind, parent = parent)
  )
}
