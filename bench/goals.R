# What must be reached, and whether it was. A goal is a number of this run that
# must be at most, or at least, a limit.

goals <- function(ratio, figures) {
  list(
    goal("round trip, median, against the floor", ratio("trip_floor"),
         "<=", 2.5),
    goal("tasks per second, against mirai", ratio("tasks_mirai"), ">=", 5),
    goal("the same, against what R's own part permits on two processors", ratio("tasks_r"), ">=", 0.6),
    goal("80 MB there and back, times as fast as mirai", ratio("echo_mirai"),
         ">=", 2),
    goal("daemons(2) to first answer, times as fast as mirai",
         ratio("first_mirai"), ">=", 1 / 0.9),
    goal("dispatcher CPU per task with 1000 daemons, against the hops",
         ratio("dispatcher_hops"), "<=", 0.5),
    goal("the same, against 10 daemons", ratio("dispatcher_growth"), "<=", 1.2),
    goal("wake-ups of an idle dispatcher", figures$idle$idle_wake_ups, "<=", 0)
  )
}

# `value` is NULL or NA where it was not measured.
goal <- function(what, value, sense, limit) {
  if (is.null(value)) value <- NA_real_
  reached <- if (sense == "<=") value <= limit else value >= limit
  list(what = what, value = value, sense = sense, limit = limit,
       reached = reached)
}

print_goals <- function(goals) {
  cat("\nGoals\n")
  for (each in goals) {
    verdict <- if (is.na(each$reached)) "not measured" else
      if (each$reached) "reached" else "NOT REACHED"
    cat(sprintf("  %-12s  %-64s %8s  (%s %s)\n", verdict, each$what,
                number_text(each$value), each$sense,
                format(each$limit, digits = 3)))
  }
}
