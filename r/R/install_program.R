#' Install the program of one file
#'
#' Puts the program `tenkai`, as a release has it for machines without an
#' installation (`tenkai-VERSION-MACHINE-linux`: one file, no dependencies), into
#' a folder of yours, where this package finds it. Nothing is ever fetched without
#' this call.
#'
#' The file is checked before it is used: its SHA-256 is the one that is given, or
#' the one that the file `SHA256SUMS` beside it names; it runs here; and it is of
#' this package's version. What was there stays until then.
#'
#' @param from A string: the path of the file, or its address (`https://...`).
#' @param sha256 A string of 64 hexadecimal digits: the hash of the file. `NULL`
#'   (the default): as the file `SHA256SUMS` beside `from` says.
#' @return The path of the program, invisibly.
#' @section Errors:
#' Where the file cannot be read, has another hash, does not run on this machine or
#' is of another version; nothing is installed then.
#' @seealso [tenkai-package], for where the program is looked for.
#' @examples
#' \dontrun{
#' install_program("~/Downloads/tenkai-0.1.0-x86_64-linux")
#' }
#' @export
install_program <- function(from, sha256 = NULL) {
  check_string(from, "from")
  if (!is.null(sha256)) check_hash(sha256)
  folder <- dirname(user_program())
  if (!dir.exists(folder) &&
      !dir.create(folder, recursive = TRUE, showWarnings = FALSE)) {
    stop("the folder '", folder, "' cannot be made; R_USER_DATA_DIR names ",
         "another one", call. = FALSE)
  }
  # What an installation that was killed has left.
  left <- list.files(folder, "^tenkai-[0-9a-f]+$", full.names = TRUE)
  unlink(left[Sys.time() - file.mtime(left) > as.difftime(1, units = "hours")])
  part <- tempfile("tenkai-", folder)
  on.exit(unlink(part))
  fetch(from, part)
  wanted <- tolower(sha256 %||% named_hash(from))
  if (!identical(found <- hash_of(part), wanted)) {
    stop("'", from, "' is not what it should be: its SHA-256 is ", found,
         ", not ", wanted, "; fetch it again", call. = FALSE)
  }
  Sys.chmod(part, "0755")
  check_runs(part, from)
  if (!file.rename(part, user_program())) {
    stop("'", user_program(), "' cannot be written", call. = FALSE)
  }
  message("installed tenkai ", version(), " as ", user_program())
  invisible(user_program())
}

# Each version has its own, so that an older package beside this one keeps its.
user_program <- function() {
  file.path(tools::R_user_dir("tenkai", "data"), version(), "tenkai")
}

is_address <- function(from) grepl("^https?://", from)

check_hash <- function(sha256) {
  check_string(sha256, "sha256")
  if (grepl("^[0-9a-fA-F]{64}$", sha256)) return()
  stop("'sha256' must have 64 hexadecimal digits, not '", sha256, "'",
       call. = FALSE)
}

fetch <- function(from, to) {
  if (startsWith(from, "http://")) {
    stop("'from' must be fetched by https, not '", from, "'", call. = FALSE)
  }
  got <- if (is_address(from)) {
    tryCatch(utils::download.file(from, to, mode = "wb", quiet = TRUE) == 0L,
             error = function(e) FALSE, warning = function(w) FALSE)
  } else {
    file.exists(from) && !dir.exists(from) && copies(from, to)
  }
  if (got) return(invisible())
  stop("'", from, "' cannot be ",
       if (is_address(from)) "fetched" else "read (is it there?)", call. = FALSE)
}

# Where it is the folder that does not take it, that is told.
copies <- function(from, to) {
  why <- ""
  good <- withCallingHandlers(file.copy(from, to), warning = function(w) {
    why <<- conditionMessage(w)
    tryInvokeRestart("muffleWarning")
  })
  if (good && file.size(to) == file.size(from)) return(TRUE)
  if (file.access(from, 4L) != 0L) return(FALSE)
  stop("'", from, "' cannot be copied into '", dirname(to), "': ",
       if (nzchar(why)) why else "is the disk full?",
       "; R_USER_DATA_DIR names another folder", call. = FALSE)
}

# The hash of `from` in the file SHA256SUMS beside it: lines "HASH  NAME".
named_hash <- function(from) {
  sums <- paste0(sub("[^/]*$", "", from), "SHA256SUMS")
  file <- tempfile()
  on.exit(unlink(file))
  lines <- tryCatch({
    fetch(sums, file)
    readLines(file, warn = FALSE)
  }, error = function(e) character())
  hash <- hash_in(lines, basename(from))
  if (!is.na(hash)) return(hash)
  stop("there is no SHA-256 for '", from, "': '", sums, "' does not name it; ",
       "give it as 'sha256'", call. = FALSE)
}

hash_in <- function(lines, name) {
  for (line in lines) {
    parts <- strsplit(line, " [ *]")[[1L]]
    if (length(parts) == 2L && parts[2L] == name &&
        grepl("^[0-9a-fA-F]{64}$", parts[1L])) return(parts[1L])
  }
  NA_character_
}

# R itself can since 4.5.
hash_of <- function(file) {
  if (getRversion() >= "4.5") {
    return(unname(getExportedValue("tools", "sha256sum")(file)))
  }
  sub(" .*$", "", sub("^\\\\", "", output_of("sha256sum", shQuote(file))[1L]))
}

check_runs <- function(program, from) {
  answer <- output_of(program, "--version")
  if (is.null(attr(answer, "status")) && identical(answer[1L], version())) {
    return(invisible())
  }
  if (is.null(attr(answer, "status")) &&
      grepl("^[0-9]+[.][0-9]+[.][0-9]+$", answer[1L])) {
    stop("'", from, "' is tenkai ", answer[1L], ", this package is ", version(),
         ": take both from the same release", call. = FALSE)
  }
  stop("'", from, "' does not run on this machine (", R.version$platform, "): ",
       paste(answer, collapse = "; "), call. = FALSE)
}
