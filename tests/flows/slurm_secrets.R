# What tests/flows/slurm_secrets.sh does in an R session.
source("common.R")

cache <- file.path(Sys.getenv("XDG_CACHE_HOME"), "tenkai")
kept <- character()
modes <- character()
# The files that let agents in, as long as they are there.
keep_secrets <- function() {
  for (file in list.files(cache, recursive = TRUE, full.names = TRUE)) {
    if (file %in% kept) next
    text <- tryCatch(readLines(file, 1L, warn = FALSE), error = function(e) "",
                     warning = function(w) "")
    if (!length(text) || !grepl("^dGVua2Fp", text)) next
    kept <<- c(kept, file)
    to <- file.path(work, "secret", length(kept))
    modes <<- c(modes, format(file.mode(file)))
    file.copy(file, to)
    Sys.chmod(to, "600")
  }
}

for (name in c("array", "nodes")) {
  invisible(daemons(profile = name))
  check(paste0(name, ": the daemons come"), wait_for(function() {
    keep_secrets()
    sum(status(name)$daemons[, "online"]) == 4
  }, 40, pause = 0.01))
}
check(sprintf("the secrets were files of mode 600 (%d)", length(kept)),
      length(kept) >= 2L && all(modes == "600"))
# What Slurm keeps of a job goes with it.
dir.create(file.path(work, "kept"))
file.copy(file.path(work, "slurm", c("state", "spool")), file.path(work, "kept"),
          recursive = TRUE)
tasks <- lapply(1:20, function(i) {
  mirai(sum(rnorm(1e4)), .compute = c("array", "nodes")[1L + i %% 2L])
})
invisible(lapply(tasks, call_mirai))
invisible(file.create(file.path(work, "ready")))
wait_for(function() file.exists(file.path(work, "go")), 60)
for (name in c("array", "nodes")) invisible(daemons(0, .compute = name))
check("nothing of the launches stays in the cache",
      wait_for(function() !length(list.files(cache)), 20))
finish()
