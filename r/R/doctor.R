# What keeps daemons from coming, told before one waits for them.

#' Look for what keeps daemons from coming
#'
#' Looks at R, the package and the program, at the files of profiles, at this
#' machine, and at what a profile needs: Slurm, SSH, addresses. Nothing is
#' changed, and nothing is launched. It is `tenkai doctor` of the command line,
#' with what this session knows in front.
#'
#' @param profile the name of a profile in a file, see [profile()]. `NULL`: what
#'   daemons on this machine need.
#' @return A data frame of class `tenkaiDoctor`, with a row for each check: `id`
#'   (docs/doctor.md lists them), `what` was looked at, `state` (`"ok"`,
#'   `"warning"`, `"wrong"`, or `"skipped"` where it cannot be known),
#'   `sentence`, and `mend`, a command or what to change. It prints a line for
#'   each.
#' @examples
#' found <- doctor()
#' found
#' found[found$state == "wrong", c("id", "mend")]
#' @export
doctor <- function(profile = NULL) {
  if (!is.null(profile)) check_string(profile, "profile")
  session <- session_checks()
  if (any(session$state == "wrong")) return(session)
  arguments <- c("doctor", "--rows",
                 if (!is.null(profile)) c("--profile", shQuote(profile)))
  lines <- with_r_of_session(
    output_of(find_program(), arguments, errors = "/dev/null"), is.null(profile))
  status <- attr(lines, "status")
  # That something is wrong is 1; some versions of R tell it as wait() does.
  if (!is.null(status) && !status %in% c(1L, 256L)) {
    lines <- output_of(find_program(), arguments)
    return(rbind(session, checks_of(list(
      c("session.program", "tenkai doctor", "wrong",
        paste0("ends with exit code ", status, ": ",
               paste(lines, collapse = " ")),
        "take package and program from the same release")
    ))))
  }
  rbind(session, checks_of(rows_of(paste(lines, collapse = "\n"))))
}

# Daemons of this session on this machine run its R, with its libraries.
with_r_of_session <- function(code, here) {
  if (!here) return(code)
  old <- Sys.getenv(c("PATH", "R_LIBS"), NA)
  on.exit({
    Sys.setenv(PATH = old[["PATH"]])
    if (is.na(old[["R_LIBS"]])) Sys.unsetenv("R_LIBS") else
      Sys.setenv(R_LIBS = old[["R_LIBS"]])
  })
  Sys.setenv(PATH = paste(c(R.home("bin"), old[["PATH"]]), collapse = ":"),
             R_LIBS = paste(.libPaths(), collapse = ":"))
  code
}

# Whether this session and its program fit together. The rest is the program's.
session_checks <- function() {
  program <- tryCatch(find_program(), error = conditionMessage)
  why <- tryCatch({
    check_version(find_program())
    ""
  }, error = conditionMessage)
  package <- getNamespaceInfo("tenkai", "path")
  checks_of(list(
    c("session.package", "package of this session", "ok",
      paste0(version(), " in ", package, ", R ", getRversion()), ""),
    c("session.program", "program of this session",
      if (nzchar(why)) "wrong" else "ok",
      gsub("\n", " ", if (nzchar(why)) why else program),
      if (nzchar(why)) "Sys.setenv(TENKAI_BIN = \"/path/of/tenkai\")" else "")
  ))
}

# Rows of `tenkai doctor --rows`. Empty fields at the end are cut off.
checks_of <- function(rows) {
  field <- function(i) {
    vapply(rows, function(row) if (length(row) < i) "" else row[[i]], "")
  }
  structure(
    data.frame(id = field(1L), what = field(2L), state = field(3L),
               sentence = field(4L), mend = field(5L),
               stringsAsFactors = FALSE),
    class = c("tenkaiDoctor", "data.frame")
  )
}

#' @export
print.tenkaiDoctor <- function(x, ...) {
  if (!all(c("id", "what", "state", "sentence", "mend") %in% names(x))) {
    return(NextMethod())
  }
  width <- max(0L, nchar(x$id))
  lines <- paste0(formatC(x$state, width = -9L), formatC(x$id, width = -width),
                  "  ", x$what, ": ", x$sentence)
  indent <- strrep(" ", width + 11L)
  mend <- ifelse(nzchar(x$mend), paste0("\n", indent, "mend: ", x$mend), "")
  cat(paste0(lines, mend, "\n"), sep = "")
  cat(doctor_summary(table(factor(x$state, c("wrong", "warning", "skipped")))),
      "\n", sep = "")
  invisible(x)
}

doctor_summary <- function(counts) {
  bad <- c(if (counts[["wrong"]]) paste(counts[["wrong"]], "wrong"),
           if (counts[["warning"]]) {
             paste(counts[["warning"]],
                   if (counts[["warning"]] == 1L) "warning" else "warnings")
           })
  paste0(if (length(bad)) paste(bad, collapse = ", ") else "nothing is wrong",
         if (counts[["skipped"]]) {
           paste0("; ", counts[["skipped"]], " could not be known")
         })
}
