# An async evaluator for package plumber2, which knows them by name.

#' Handlers of plumber2 in daemons
#'
#' Makes an evaluator for package plumber2, by which a handler runs in a daemon
#' while the process of the API goes on. It is registered as `"tenkai"` wherever
#' tenkai and plumber2 are loaded: `async = "tenkai"` at a handler, `@async tenkai`
#' in an annotated file, or `options(plumber2.async = "tenkai")` for all that say
#' `async = TRUE`.
#'
#' A request whose daemon dies is tried again, as `retries` of [daemons()] says.
#' Then it fails, as it does where the handler has an error. Without daemons each
#' request starts an R of its own: set them before the API runs.
#'
#' @param ... arguments of [mirai()], such as `.timeout`.
#' @param profile the compute profile whose daemons run the handler. `NULL`: that
#'   which is current when a request comes, see [with_daemons()].
#' @return A function of an expression and an environment with the variables that
#'   it needs. It evaluates the expression in a daemon and returns a [mirai()].
#'   `async =` takes it, too. Where `profile` is no string, it is an error that
#'   names it.
#' @seealso [promises] for what becomes of a mirai.
#' @examples
#' evaluate <- tenkai_async()
#' daemons(1)
#' evaluate(quote(x + 1), list2env(list(x = 1)))[]
#' daemons(0)
#'
#' \dontrun{
#' # Two kinds of daemons for one API.
#' daemons(4)
#' daemons(profile = "gpu")
#' api() |>
#'   api_get("/fast", function() fast(), async = "tenkai") |>
#'   api_get("/deep", function() deep(),
#'           async = tenkai_async(profile = "gpu")) |>
#'   api_run()
#' }
#' @export
tenkai_async <- function(..., profile = NULL) {
  if (!is.null(profile)) check_string(profile, "profile")
  function(expr, envir) mirai(expr, envir, ..., .compute = profile)
}

register_plumber <- function() {
  register <- function(...) {
    getExportedValue("plumber2", "register_async")("tenkai", tenkai_async,
                                                   c("promises", "tenkai"))
  }
  if (isNamespaceLoaded("plumber2")) register()
  setHook(packageEvent("plumber2", "onLoad"), register)
}
