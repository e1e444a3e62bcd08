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
  fields <- fields_of(paste(lines, collapse = "\n"))
  key <- names(fields)
  values <- unname(fields)
  one <- function(name) if (name %in% key) values[match(name, key)]
  number <- function(name) if (name %in% key) as.numeric(one(name))
  # What stands before the first machine is for all of them.
  machine <- cumsum(key == "each")
  scale <- grep("^scale_", key, value = TRUE)
  list(
    name = one("profile"), warnings = values[key == "warning"],
    daemons = if ("daemons" %in% key) as.integer(one("daemons")),
    url = one("url"),
    retries = one("retries"),
    scale = if (length(scale)) {
      structure(lapply(scale, number), names = sub("^scale_", "", scale))
    },
    limits = lapply(from_pairs(values[key == "limit"]), as.numeric),
    memory = one("memory"), most = number("most"),
    command = one("plugin"), plugin = one("plugin"), rscript = one("rscript"),
    form = if (identical(one("form"), "daemon")) "daemon",
    credential = one("credential"), chunk = one("chunk"),
    options = from_pairs(values[key == "option" & machine == 0L]),
    each = lapply(seq_len(sum(key == "each")), function(i) {
      from_pairs(values[key == "option" & machine == i])
    })
  )
}
