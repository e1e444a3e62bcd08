# Installs what the tests of this folder need of CRAN (packages.tsv) into a library of
# their own, where it is missing or older than asked:
#
#   Rscript install.R LIBRARY
#
# The repository is that of the option "repos", else the first mirror that R knows. A
# package that cannot be installed is said with the reason, and is no failure: its tests
# are skipped. Called by scripts/test --carry.
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(folder, "packages.R"))

# The lines that R wrote to say why, of all that it wrote.
why_not <- function(said) {
  telling <- grep("not available|ERROR|[Ee]rror|non-zero|is required|No such file",
                  sub("\n.*", "", said), value = TRUE)
  if (!length(telling)) return("R does not say why")
  paste(trimws(utils::tail(unique(telling), 3L)), collapse = "; ")
}

# What compilers write is kept, for the reason; it is shown where there is one.
install_one <- function(package, library) {
  said <- character()
  withCallingHandlers(
    tryCatch(utils::install.packages(package, lib = library, quiet = TRUE,
                                     keep_outputs = tempdir(),
                                     INSTALL_opts = "--no-docs"),
             error = function(condition) said <<- conditionMessage(condition)),
    warning = function(condition) {
      said <<- c(said, conditionMessage(condition))
      invokeRestart("muffleWarning")
    }
  )
  outputs <- list.files(tempdir(), "[.]out$", full.names = TRUE)
  said <- c(unlist(lapply(outputs, readLines, warn = FALSE)), said)
  unlink(outputs)
  said
}

library <- commandArgs(TRUE)[1L]
dir.create(library, FALSE, TRUE)
library <- normalizePath(library)
.libPaths(c(library, .libPaths()))
needed <- needed_packages(folder)
missing <- missing_packages(needed)
if (length(missing)) options(repos = repository())
for (package in names(missing)) {
  cat(missing[[package]], "\n", sep = "")
  said <- install_one(package, library)
  still <- missing_packages(lapply(needed, `[`, needed$package == package))
  if (length(still)) {
    cat("cannot be installed: ", package, ": ", why_not(said), "\n", sep = "")
  } else {
    cat("installed: ", package, " ", version_here(package), "\n", sep = "")
  }
}
for (package in needed$package) {
  cat(sprintf("%-14s %s\n", package, version_here(package)))
}
