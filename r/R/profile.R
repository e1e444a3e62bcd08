#' Compute profiles in files
#'
#' `profile()` reads a compute profile that is written in a YAML file: how many
#' daemons it has, where they connect, and how they are launched. For the argument
#' `remote` of [launch_remote()]; [daemons()] reads it itself, by its argument
#' `profile`.
#'
#' @param name the name of the profile. `tenkai profile list`, in a shell, shows
#'   which there are, `tenkai profile show NAME` what each says and in which file.
#' @param ... for [stats::profile()], which gets everything that is an object, such
#'   as a fitted model.
#' @return A list.
#' @details
#' Files are looked for in `etc/tenkai.yaml` of the installation, in
#' `/etc/tenkai/`, in `~/.config/tenkai/`, in the working directory, and where
#' `TENKAI_CONFIG` says; later ones override earlier ones, as far as a site
#' leaves them free to. `docs/profiles.md` of tenkai lists all keys.
#' @examples
#' file <- tempfile(fileext = ".yaml")
#' writeLines(c("profiles:", "  two:", "    daemons: 2"), file)
#' Sys.setenv(TENKAI_CONFIG = file)
#' daemons(profile = "two")
#' m <- mirai(Sys.getpid(), .compute = "two")
#' call_mirai(m)$data
#' daemons(0, .compute = "two")
#' Sys.unsetenv("TENKAI_CONFIG")
#' @export
profile <- function(name, ...) {
  # The function of this name in package stats, which this one hides; or that of
  # stats4, which makes it one for S4 classes and is there where such an object is.
  if (isS4(name) && isNamespaceLoaded("stats4")) {
    return(getExportedValue("stats4", "profile")(name, ...))
  }
  if (is.object(name)) return(stats::profile(name, ...))
  check_string(name, "name")
  program <- find_program()
  check_version(program)
  errors <- tempfile("tenkai")
  on.exit(unlink(errors))
  lines <- output_of(program, c("profile", "deploy", "--", shQuote(name)),
                     shQuote(errors))
  if (!is.null(attr(lines, "status"))) {
    stop(paste(c(readLines(errors, warn = FALSE)), collapse = "\n"),
         call. = FALSE)
  }
  deployment <- deployment_from(lines)
  for (text in deployment$warnings) warning(text, call. = FALSE)
  deployment$warnings <- NULL
  deployment
}

# What `tenkai profile deploy` has printed.
deployment_from <- function(lines) {
  Encoding(lines) <- "UTF-8"
  key <- sub("=.*$", "", lines)
  value <- unescape_line(sub("^[^=]*=", "", lines))
  one <- function(name) if (name %in% key) value[match(name, key)]
  pairs <- function(which) {
    names <- sub("=.*$", "", value[which])
    split(sub("^[^=]*=", "", value[which]), factor(names, unique(names)))
  }
  # What stands before the first machine is for all of them.
  machine <- cumsum(key == "each")
  list(
    name = one("profile"), warnings = value[key == "warning"],
    daemons = if (!is.null(one("daemons"))) as.integer(one("daemons")),
    url = one("url"), here = identical(one("here"), "1"), ports = one("ports"),
    retries = one("retries"),
    scale = if (!is.null(one("scale_max"))) {
      scale <- lapply(c(min = "scale_min", max = "scale_max",
                        backlog = "scale_backlog", idle = "scale_idle",
                        pace = "scale_pace"),
                      function(name) as.numeric(one(name)))
      c(scale, chunk = max(1, as.numeric(one("chunk") %||% 1)))
    },
    limits = lapply(pairs(key == "limit"), as.numeric),
    memory = one("memory"),
    most = if (!is.null(one("most"))) as.numeric(one("most")),
    command = one("plugin"), plugin = one("plugin"), rscript = one("rscript"),
    form = if (identical(one("form"), "daemon")) "daemon",
    credential = one("credential"), chunk = one("chunk"),
    options = pairs(key == "option" & machine == 0L),
    each = lapply(seq_len(sum(key == "each")), function(i) {
      pairs(key == "option" & machine == i)
    })
  )
}

# How many daemons a profile has, where daemons() is not told.
deployed_number <- function(deployment, n) {
  if (is.null(n)) {
    n <- deployment$daemons %||% deployment$scale$max %||%
      if (length(deployment$each)) length(deployment$each)
  }
  if (is.null(n)) {
    stop("the profile '", deployment$name, "' does not say how many daemons ",
         "it has: give daemons() their number, or the profile 'daemons:'",
         call. = FALSE)
  }
  check_cap(deployment, n)
  n
}

# Whether a site allows so many daemons.
check_cap <- function(deployment, n) {
  most <- deployment$most
  if (is.null(most) || !is.numeric(n) || length(n) != 1L || is.na(n) ||
      n <= most) {
    return(invisible())
  }
  stop("the site allows ", most, " daemons for a profile, not ", n,
       " (cap 'daemons' in its file, see 'tenkai profile show ",
       deployment$name, "')", call. = FALSE)
}

# Between what numbers there are daemons, where there may be at most so many.
scale_for <- function(n, scale) {
  if (is.null(scale)) return()
  scale$max <- n
  scale$min <- min(scale$min, n)
  scale[c("min", "max", "backlog", "idle", "pace")]
}

# The limits of the profile, as arguments of daemons where it was given none.
with_limits <- function(options, limits) {
  c(options, limits[setdiff(names(limits), names(options))])
}
