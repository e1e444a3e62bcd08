# A storm: SIGKILL for a random one of 4 local daemons every 150 ms, while many tasks run.
#
#   Rscript storm.R [ROUNDS] [TASKS]
#
# Once they come back by themselves, and once launch_local() brings them back as soon as
# one is missed; the two take turns. Then poisonous tasks among good ones. Called by
# bench/run --storm.

library(tenkai)
arguments <- commandArgs(TRUE)
rounds <- as.integer(c(arguments, "3")[1L])
n <- as.integer(c(arguments[-1L], "10000")[1L])
now <- function() as.double(Sys.time())

# The pids of the daemons: Rscript's R is the child of the dispatcher.
daemon_pids <- function(dispatcher) {
  lines <- suppressWarnings(try(readLines(sprintf("/proc/%d/task/%d/children", dispatcher, dispatcher), warn = FALSE), TRUE))
  as.integer(unlist(strsplit(trimws(as.character(lines)), " +")))
}

storm <- function(by_hand) {
  daemons(4, retries = 1000, respawn = !by_hand)
  mine <- sprintf("/proc/%d/task/%d/children", Sys.getpid(), Sys.getpid())
  dispatcher <- as.integer(tail(strsplit(trimws(readLines(mine, warn = FALSE)), " +")[[1L]], 1L))
  begun <- now()
  tasks <- lapply(seq_len(n), function(i) {
    mirai({ Sys.sleep(0.001); i }, .args = list(i = i))
  })
  kills <- 0L
  next_kill <- now()
  left <- tasks
  while (length(left)) {
    if (now() >= next_kill) {
      pids <- daemon_pids(dispatcher)
      if (length(pids)) {
        tools::pskill(pids[sample.int(length(pids), 1L)], tools::SIGKILL)
        kills <- kills + 1L
      }
      next_kill <- now() + 0.15
    }
    if (by_hand) {
      offline <- which(status()$daemons[, "online"] == 0)
      if (length(offline)) launch_local(offline)
    }
    Sys.sleep(0.02)
    left <- left[vapply(left, unresolved, NA)]
    if (now() - begun > 600) stop("tasks are still unresolved after 600 s")
  }
  seconds <- now() - begun
  values <- lapply(tasks, function(m) m$data)
  right <- identical(values, as.list(seq_len(n)))
  complete <- sum(status()$daemons[, "complete"])
  daemons(0)
  c(seconds = seconds, kills = kills, wrong = if (right) 0 else 1,
    twice = complete - n)
}

poison <- function() {
  daemons(4)
  bad <- sort(sample.int(1010L, 10L))
  tasks <- lapply(seq_len(1010L), function(i) {
    if (i %in% bad) mirai(tools::pskill(Sys.getpid(), 9L)) else
      mirai(i, .args = list(i = i))
  })
  values <- lapply(tasks, function(m) call_mirai(m)$data)
  daemons(0)
  right <- identical(values[-bad], as.list(setdiff(seq_len(1010L), bad)))
  told <- vapply(values[bad], function(value) {
    lengths(gregexpr("was killed by signal 9", c(attr(value, "message"), "")[1L]))
  }, 0L)
  c(right = right, told = all(told == 3L))
}

results <- do.call(rbind, lapply(seq_len(rounds), function(i) {
  own <- storm(FALSE)
  hand <- storm(TRUE)
  data.frame(own = own[["seconds"]], kills = own[["kills"]], by_hand = hand[["seconds"]],
             kills_by_hand = hand[["kills"]], wrong = own[["wrong"]], twice = own[["twice"]])
}))
print(results, row.names = FALSE)
ratio <- stats::median(results$own / results$by_hand)
row <- function(ok, text) cat(sprintf("  %-12s  %s\n", if (ok) "reached" else "NOT REACHED", text))
row(all(results$wrong == 0), sprintf("each of %d tasks has its own value", n))
row(all(results$twice == 0), "none was answered twice")
row(ratio <= 2, sprintf("time against launch_local() by hand  %.2f  (<= 2)", ratio))
poisoned <- poison()
row(poisoned[["right"]], "10 poisonous tasks among 1,000: the thousand are right")
row(poisoned[["told"]], "the ten name each of their deaths")
