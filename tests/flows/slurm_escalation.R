# What tests/flows/slurm_escalation.sh does in an R session.
source("common.R")

there <- function(name) sum(status(name)$daemons[, "online"])
# The memory of the job in which R runs, as Slurm has it.
memory_of_job <- function() {
  id <- Sys.getenv("SLURM_JOB_ID")
  line <- system2("scontrol", c("show", "job", id), stdout = TRUE)
  sub(".*MinMemoryNode=([0-9.]+[A-Z]?).*", "\\1",
      grep("MinMemoryNode", line, value = TRUE)[1L])
}
# So many MB that are really there.
fill <- function(mb) {
  x <- rep(1, mb * 131072)
  Sys.sleep(2)
  c(length(x), memory())
}
said <- function(code) {
  texts <- character()
  withCallingHandlers(code, message = function(condition) {
    texts <<- c(texts, conditionMessage(condition))
    invokeRestart("muffleMessage")
  }, condition = function(condition) {
    if (inherits(condition, "tenkai_launch_error")) {
      texts <<- c(texts, conditionMessage(condition))
    }
  })
  texts
}

# Its job of one minute is too short; meanwhile others are looked at.
invisible(daemons(profile = "time"))
check("a daemon comes", wait_for(function() there("time") == 1L, 40))
began <- now()
long <- mirai({
  Sys.sleep(70)
  Sys.getenv("SLURM_JOB_ID")
}, .compute = "time")

for (name in c("memory", "scaled")) {
  invisible(daemons(profile = name))
  small <- mirai(f(10), f = fill, memory = memory_of_job, .compute = name)
  texts <- said({
    large <- lapply(c(250, 300, 600), function(mb) {
      mirai(f(mb), f = fill, mb = mb, memory = memory_of_job, .compute = name)
    })
    values <- lapply(large, function(task) call_mirai(task)$data)
    status(name)
  })
  has <- function(value, mb, of) {
    identical(unlist(value), c(as.character(mb * 131072), of))
  }
  check(paste0(name, ": a small task runs in a job of the usual size"),
        has(call_mirai(small)$data, 10, "200M"))
  check(paste0(name, ": what ran out of memory is done in larger jobs"),
        has(values[[1L]], 250, "400M") && has(values[[2L]], 300, "400M"))
  check(paste0(name, ": and in still larger ones"), has(values[[3L]], 600, "800M"))
  check(paste0(name, ": the user is told"),
        any(grepl("which is tried again with twice the memory", texts)) &&
          any(grepl("launches 1 daemon with mem=400M", texts)))
}

invisible(daemons(profile = "none"))
value <- NULL
texts <- said(value <- call_mirai(mirai(f(250), f = fill, memory = memory_of_job, .compute = "none"))$data)
check("where there is no larger job, it is said why",
      is_error_value(value) && as.integer(value) == 19L &&
        grepl("OUT_OF_MEMORY.*and the larger job that was asked for \\(mem=3200M[^)]*\\) could not be had: sbatch refused",
              attr(value, "message")))
invisible(daemons(0, .compute = "none"))

first <- call_mirai(long)$data
check(sprintf("what had too little time is done in a longer job, after %.0f s", now() - began),
      is.character(first))
for (name in c("memory", "scaled", "time")) invisible(daemons(0, .compute = name))
finish()
