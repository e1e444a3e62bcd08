#' tenkai: asynchronous evaluation of R expressions
#'
#' `mirai()` sends an expression to another R process and returns at once;
#' `daemons()` keeps such processes ready, on this machine or on others. A
#' native program, `tenkai`, hands the work out: the package starts one of them
#' for each compute profile and talks to nothing else.
#'
#' @section Guides:
#' "First session", "Clusters", "Shiny", "When something goes wrong", "Coming from
#' mirai", "Coming from future, foreach, parallel" and a cheat sheet are vignettes:
#' `vignette("first-session", package = "tenkai")`. Where the package was
#' installed from its folder they are in `r/vignettes` of the sources alone.
#'
#' @section The program:
#' The package looks for the program `tenkai` of its own version in this order:
#' the file named by the environment variable `TENKAI_BIN`; what
#' [install_program()] has installed; the path that was found when the package was
#' installed (`TENKAI_PREFIX=/prefix R CMD INSTALL` names a place to look in), or
#' the program that was built then; `../bin/tenkai` beside the library that the
#' package lies in, as in a checkout; and `PATH`.
#'
#' With the environment variable `TENKAI_LOG` set to a level (`info`, `debug`),
#' the program writes what it does to the standard error of the session.
#'
#' @useDynLib tenkai, .registration = TRUE
#' @keywords internal
"_PACKAGE"
