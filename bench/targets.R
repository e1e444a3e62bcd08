# A pipeline of package targets: on our controller, and on crew's local one.
#
#   Rscript targets.R [ROUNDS] [TARGETS]
#
# 500 trivial targets, branches of one, on two daemons or workers; from tar_make() to
# its end, with all that it starts. Each has a fresh session and a fresh folder for
# each round. Called by bench/run --targets.

here <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L])
source(file.path(dirname(here), "sessions.R"))
arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "5")[1L])
n <- as.integer(c(arguments[-1L], "500")[1L])

for (package in c("targets", "crew")) {
  if (nzchar(system.file(package = package))) next
  stop("there is no package ", package, ": install it, or name its library in R_LIBS",
       call. = FALSE)
}

makers <- list(
  tenkai = quote(tenkai::tenkai_controller(n = 2)),
  crew = quote(crew::crew_controller_local(workers = 2))
)

pipeline <- "
library(targets)
tar_option_set(controller = %s)
list(tar_target(x, seq_len(%d)), tar_target(y, x, pattern = map(x)))
"

make <- "
seconds <- system.time(
  targets::tar_make(callr_function = NULL, reporter = 'silent')
)[['elapsed']]
stopifnot(identical(unname(targets::tar_read(y)), seq_len(%d)))
cat('seconds', seconds, '\n')
"

take <- function(maker) {
  folder <- tempfile("pipeline-")
  dir.create(folder)
  before <- setwd(folder)
  on.exit({
    setwd(before)
    unlink(folder, recursive = TRUE)
  })
  cat(sprintf(pipeline, deparse(maker), n), file = "_targets.R")
  seconds_of(sprintf(make, n))
}

result <- compare_sessions(makers, rounds, take)

ratio <- stats::median(result[, "crew"] / result[, "tenkai"])
cat(sprintf("Goals\n  %s  %.2f times as fast as crew (>= 1)\n",
            if (ratio >= 1) "reached    " else "NOT REACHED", ratio))
