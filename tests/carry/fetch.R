# The source of one version of a package, in a folder:
#
#   Rscript fetch.R PACKAGE VERSION FOLDER
#
# From the repository of the option "repos", else of the first mirror that R knows.
folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(folder, "packages.R"))

arguments <- commandArgs(TRUE)
name <- sprintf("%s_%s.tar.gz", arguments[1L], arguments[2L])
file <- file.path(tempdir(), name)
places <- file.path(utils::contrib.url(repository(), "source"),
                    c("", paste0("Archive/", arguments[1L], "/")))
for (place in places) {
  done <- tryCatch(utils::download.file(paste0(place, name), file, quiet = TRUE),
                   error = function(condition) 1L,
                   warning = function(condition) 1L)
  if (done == 0L) break
}
if (done != 0L) stop(name, " is in none of ", paste(places, collapse = ", "))
utils::untar(file, exdir = arguments[3L])
