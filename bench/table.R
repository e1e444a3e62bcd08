# The results for people.

number_text <- function(x) {
  if (!length(x) || is.na(x)) return("-")
  if (x != 0 && abs(x) < 10) return(sprintf("%.2f", x))
  if (abs(x) < 100) return(sprintf("%.1f", x))
  format(round(x), big.mark = ",", trim = TRUE)
}

print_row <- function(label, cells) {
  cells <- vapply(cells, function(x) {
    if (is.character(x)) x else number_text(x)
  }, "")
  cat(sprintf("%-38s", label), sprintf("%13s", cells), "\n", sep = "")
}

# `best` are medians over the rounds; `ratio` is a function of a ratio's name.
print_contest <- function(best, ratio, mirai_name) {
  print_row("Two local daemons", list("floor", "tenkai", mirai_name,
                                      "tenkai:floor", "better by"))
  floor <- best$floor
  ours <- best$tenkai
  theirs <- best$mirai
  row <- function(label, floor, key, against_floor, against_mirai) {
    print_row(label, list(floor, ours[[key]], theirs[[key]],
                          ratio(against_floor), ratio(against_mirai)))
  }
  row("round trip, median, us", floor$floor_us, "trip_median_us",
      "trip_floor", "trip_mirai")
  print_row("  of which hops, R's part, us", list(
    paste0(number_text(floor$hops_median_us), " + ",
           number_text(floor$r_median_us)), "", "", "", ""))
  row("round trip, 99 %, us", floor$floor_p99_us, "trip_p99_us",
      "trip_p99_floor", "trip_p99_mirai")
  row("no-op tasks per second", NA, "tasks_per_second", "none", "tasks_mirai")
  row("80 MB there and back, ms", NA, "echo_ms", "none", "echo_mirai")
  row("daemons(2) to first answer, ms", NA, "first_answer_ms", "none",
      "first_mirai")
}

# What the processors did, whoever it was that waited.
print_costs <- function(best, mirai_name) {
  kinds <- c("session", "dispatcher", "daemons")
  cost <- function(of, piece) {
    unlist(of[intersect(paste0(piece, "_", kinds, "_cpu_us"), names(of))])
  }
  if (!length(cost(best$tenkai, "trip"))) return(invisible())
  cat("\n")
  print_row("CPU, us", list(kinds[1L], kinds[2L], kinds[3L], "together",
                            mirai_name))
  pieces <- c(trip = "per round trip", task = "per task of many",
              echo = "per 80 MB echo")
  for (piece in names(pieces)) {
    ours <- cost(best$tenkai, piece)
    theirs <- cost(best$mirai, piece)
    print_row(pieces[[piece]], c(as.list(unname(ours)), sum(ours),
                                 if (length(theirs)) sum(theirs) else NA))
  }
}

print_dispatcher <- function(best) {
  cat("\n")
  print_row("The dispatcher alone", list("10 daemons", "1000 daemons"))
  for (key in c("cpu_per_task_us", "tasks_per_second")) {
    label <- c(cpu_per_task_us = "CPU per no-op task, us",
               tasks_per_second = "no-op tasks per second")[[key]]
    print_row(label, list(best$swarm[[paste0("few_", key)]],
                          best$swarm[[paste0("many_", key)]]))
  }
  print_row(sprintf("wake-ups while idle, in %s s",
                    format(best$idle$idle_seconds)),
            list(best$idle$idle_wake_ups))
}
