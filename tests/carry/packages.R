# What packages.tsv says, what of it is missing here, and where it comes from. The scripts
# of this folder source it.

# The option "repos", else the first mirror that R knows.
repository <- function() {
  given <- getOption("repos")
  if (is.null(given) || "@CRAN@" %in% given) {
    utils::chooseCRANmirror(ind = 1L, local.only = TRUE)
  }
  getOption("repos")[1L]
}

# The packages of `folder`: a line for each, with the names of the tests that need it.
needed_packages <- function(folder) {
  lines <- strsplit(grep("^#", readLines(file.path(folder, "packages.tsv")),
                         value = TRUE, invert = TRUE), "\t")
  list(package = vapply(lines, `[`, "", 1L), least = vapply(lines, `[`, "", 2L),
       tests = strsplit(ifelse(lengths(lines) > 2L,
                               vapply(lines, `[`, "", 3L), ""), " "))
}

# The version that library() would find; NA where there is none.
version_here <- function(package) {
  tryCatch(as.character(utils::packageVersion(package)),
           error = function(condition) NA_character_)
}

is_enough <- function(version, least) {
  !is.na(version) && utils::compareVersion(version, least) >= 0L
}

# Those of `needed` that are not here, or are older than asked, each with a sentence.
missing_packages <- function(needed) {
  here <- vapply(needed$package, version_here, "")
  enough <- mapply(is_enough, here, needed$least)
  said <- ifelse(is.na(here),
                 sprintf("there is no package %s here", needed$package),
                 sprintf("package %s is %s here, and %s is needed",
                         needed$package, here, needed$least))
  stats::setNames(said, needed$package)[!enough]
}
