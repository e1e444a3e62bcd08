# What tests/carry/purrr_slurm.sh does in an R session.
source("common.R")
suppressMessages(tenkai::use_as_mirai())
library(purrr)
tried <- file.path(commandArgs(TRUE)[1L], "tried")

invisible(tenkai::daemons(profile = "cpu", .compute = "default"))
places <- map_chr(1:60, in_parallel(\(x) {
  Sys.sleep(0.05)
  Sys.getenv("SLURM_JOB_ID")
}))
check("elements are done in jobs", all(nzchar(places)))
check("  in more than one", length(unique(places)) > 1L)
done <- map_int(1:30, in_parallel(\(x) {
  if (x == 7L && !file.exists(tried)) {
    file.create(tried)
    tools::pskill(Sys.getpid(), tools::SIGKILL)
    Sys.sleep(600)
  }
  x
}, tried = tried))
check("a daemon was killed", file.exists(tried))
check("  and all elements are there, in order", identical(done, 1:30))
condition <- tryCatch(map(1:3, in_parallel(\(x) if (x == 2L) stop("no two") else x)),
                      error = identity)
check("an error names its element", identical(condition$location, 2L))
invisible(tenkai::daemons(0))
finish()
