# 32 agents dial wss:// at once: 20 times without R behind them, and once with.
source("common.R")

n <- 32L
program <- Sys.getenv("TENKAI_BIN")
no_r <- normalizePath("no_r.pl")
online <- function() sum(status()$daemons[, "online"])

# Hundredths of a second that a process and its children have used so far.
used_by <- function(pid) {
  behind_name <- sub(".*\\) ", "", lines_of_process(pid, "stat"))
  fields <- strsplit(behind_name, " ")[[1L]]
  sum(as.numeric(fields[12:13]))
}

# Starts one process for each line of a script, all at once, and says how long
# it took until all had joined; Inf where they have not.
start_all <- function(commands, seconds) {
  script <- file.path(work, "script")
  said <- file.path(work, "said")
  writeLines(paste(commands, ">>", said, "2>&1 </dev/null &"), script)
  begun <- now()
  system2("sh", script)
  came <- wait_for(function() online() == n, seconds, pause = 0.01, must = FALSE)
  if (came) now() - begun else Inf
}

# Makes the slots, with a credential for each in a file of its own.
prepare <- function() {
  unlink(file.path(work, paste0("line.", seq_len(n))))
  invisible(daemons(n, url = "wss://127.0.0.1:0"))
  launch_remote(seq_len(n), credential = paste0("@", file.path(work, "line")))
}

# --- agents, and nothing behind them but a few lines of perl ---

rounds <- 20L
took <- numeric(rounds)
cpu <- numeric(rounds)
once <- logical(rounds)
for (round in seq_len(rounds)) {
  prepare()
  commands <- sprintf("%s agent --url %s --credential @%s/line.%d --rscript %s",
                      program, nextget("urls"), work, seq_len(n), no_r)
  before <- used_by(nextget("pid"))
  took[round] <- start_all(commands, 30)
  cpu[round] <- used_by(nextget("pid")) - before
  once[round] <- all(status()$daemons[, "instance"] == 1)
  if (!is.finite(took[round])) {
    cat(sprintf("    round %d: %d of %d have joined\n", round, online(), n))
    cat(paste("    ", tail(readLines(file.path(work, "said")), 10)), sep = "\n")
  }
  invisible(daemons(0))
}
check(sprintf("32 agents that dial at once all join, %d times of %d",
              sum(is.finite(took)), rounds), all(is.finite(took)))
check("each of them once", all(once))
cat(sprintf(paste("    all had joined after %.2f s (median), %.2f s (longest);",
                  "%.1f ms of the dispatcher's time for each\n"),
            median(took), max(took), 10 * median(cpu) / n))

# --- R ---

unlink(file.path(work, "said"))
took <- start_all(prepare(), 120)
check(sprintf("32 daemons of R that dial at once all join, in %.1f s", took),
      is.finite(took))
check("each of them once", all(status()$daemons[, "instance"] == 1))
tasks <- lapply(seq_len(10L * n), function(i) mirai(i + 1, i = i))
values <- vapply(tasks, function(m) as.numeric(call_mirai(m)$data)[1L], 0)
check("and work", identical(values, seq_len(10L * n) + 1))
finish()
