# Who comes in over the network, and how.
access_settings <- function(insecure, credential, tls, pass) {
  c(list(
    insecure = if (isTRUE(insecure)) "1",
    credential_file = if (!is.null(credential)) {
      absolute_path(credential_path(credential))
    }
  ), tls_settings(tls, pass))
}

tls_settings <- function(tls, pass) {
  if (is.null(tls)) return()
  ok <- is.character(tls) && length(tls) %in% 1:2 && !anyNA(tls)
  if (!ok) {
    stop("'tls' must be the path of a PEM file, or c(certificate, key) as PEM ",
         "texts, not ", describe(tls), call. = FALSE)
  }
  if (!is.null(pass)) check_string(pass, "pass")
  text <- paste(tls, collapse = "\n")
  is_text <- grepl("-----BEGIN", text, fixed = TRUE)
  list(
    tls_pem = if (is_text) text,
    tls_file = if (!is_text) normalizePath(tls[1L], mustWork = FALSE),
    tls_password = pass
  )
}

# For another program, which may be in another folder. The file need not be there.
absolute_path <- function(path) {
  file.path(normalizePath(dirname(path), mustWork = FALSE), basename(path))
}

# "@path" without its sign; such a path stands in commands that a shell reads.
credential_path <- function(credential) {
  check_string(credential, "credential")
  if (!grepl("^@[^'\"\\\\$`[:cntrl:]]+$", credential)) {
    # What was given is not repeated: it may be the credential itself.
    stop("'credential' must be \"@\" and the path of a file, without quotes, ",
         "backslashes and dollar signs", call. = FALSE)
  }
  path.expand(substring(credential, 2L))
}
