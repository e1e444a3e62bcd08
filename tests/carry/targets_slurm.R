# What tests/carry/targets_slurm.sh does in an R session, in the folder of the pipeline.
script <- normalizePath("common.R")
setwd(commandArgs(TRUE)[1L])
source(script)

suppressMessages(targets::tar_make(reporter = "silent"))

errors <- targets::tar_meta(fields = "error")
errors <- errors[!is.na(errors$error), ]
check("200 targets have their values", targets::tar_read(sums) == sum(1:200))
check("a daemon was killed, and its target tried again", file.exists("killed"))
check("one target has an error", identical(errors$name, "greedy"))
check(paste("  which says:", errors$error[1L]), grepl(paste0(
  "^daemon [1-4] \\(job [0-9_.]+ on n[12]\\) was killed: OUT_OF_MEMORY ",
  "\\(it had [0-9.]+ [MG]iB, and limits\\.memory allows 400 MiB\\) ",
  "while it ran this task"), errors$error[1L]))
near <- targets::tar_read(near)
far <- targets::tar_read(far)
check("targets run in jobs", all(nzchar(c(near[["job"]], far[["job"]]))))
check("  of the profile that their resources name",
      near[["place"]] == "" && far[["place"]] == "gpu" &&
        near[["job"]] != far[["job"]])
sums <- targets::tar_crew()
check("tar_crew() knows both", identical(sums$controller, c("cpu", "gpu")) &&
        identical(sums$targets, c(204L, 1L)))
finish()
