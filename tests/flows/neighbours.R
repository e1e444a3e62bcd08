# R with a dispatcher and agents of which one is of a neighbouring version.
source("common.R")

with_program <- function(path) paste0("TENKAI_BIN=", shQuote(path))
agent <- Sys.getenv("TENKAI_FLOW_AGENT", Sys.getenv("TENKAI_FLOW_OWN"))
stranger <- Sys.getenv("TENKAI_FLOW_STRANGER")

# --- on this machine ---

invisible(daemons(2))
check("a task of a local daemon is answered", identical(call_mirai(mirai(6 * 7))$data, 42))
m <- mirai({ Sys.sleep(60); 1 }, .timeout = 500)
call_mirai(m)
check("a time-out interrupts it", identical(as.integer(m$data), 5L))
invisible(daemons(0))

# --- over the network ---

invisible(daemons(url = c("tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/one")))
commands <- launch_remote(1:2)
for (command in commands) run_launch(command, before = with_program(agent))
online <- function() sum(status()$daemons[, "online"])
check("two daemons come in over the network", wait_for(function() online() == 2L, 60))
tasks <- lapply(1:40, function(i) mirai(i + 1, i = i))
check("each task has its own value",
      identical(vapply(tasks, function(m) call_mirai(m)$data, 0), 1:40 + 1))
large <- mirai(rev(x), x = as.numeric(1:3e5))
check("a large one, too", identical(call_mirai(large)$data, as.numeric(3e5:1)))
died <- call_mirai(mirai(quit("no", 3)))$data
check("a daemon that ends is told", is_error_value(died))
failed_task <- call_mirai(mirai(stop("on purpose")))$data
check("an error is an error", is_mirai_error(failed_task))

# --- of another release ---

invisible(daemons(0))
invisible(daemons(url = "tls+tcp://127.0.0.1:0"))
said <- file.path(work, "refused")
run_launch(launch_remote(1L), before = with_program(stranger), output = said)
told <- function() {
  any(grepl(Sys.getenv("TENKAI_FLOW_VERSION"), readLines(said, warn = FALSE), fixed = TRUE))
}
check("an R of another release is refused, and told the version",
      wait_for(function() file.exists(said) && told(), 60))
finish()
