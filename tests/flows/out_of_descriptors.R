# A dispatcher that may have 64 descriptors, with a daemon at work; others dial
# until there are none left.
source("common.R")

# R does not start with so few, so neither this session has the limit nor what
# the dispatcher would start itself.
launch <- function(slot) {
  file <- paste0("@", file.path(work, paste0("line-", slot)))
  run_launch(paste0(launch_remote(slot, credential = file), "\n"))
}
online <- function() sum(status()$daemons[, "online"])
comes_in <- function(slot, when) {
  begun <- now()
  launch(slot)
  came <- wait_for(function() online() == slot, 60, must = FALSE)
  check(sprintf("%s, another daemon comes in, after %.1f s with the start of R",
                when, now() - begun), came && now() - begun < 20)
}
round_trips <- function(n) {
  values <- vapply(seq_len(n), function(i) call_mirai(mirai(i, i = i))$data, 0)
  identical(values, as.numeric(seq_len(n)))
}
say <- function(name) invisible(file.create(file.path(work, name)))
hear <- function(name) {
  wait_for(function() file.exists(file.path(work, name)), 60)
}

invisible(daemons(url = c(paste0("tcp://127.0.0.1:", c(0, 0, 0)), local_url())))
launch(1)
check("a daemon is there", wait_for(function() online() == 1, 60))
check("and works", round_trips(100))
writeLines(c(nextget("pid"), nextget("urls")[4:3]), file.path(work, "doors"))
say("ready")

hear("taken-1")
check("with no descriptor left, it works on", round_trips(500))
say("worked-1")
hear("freed-1")
comes_in(2, "with some free again")
say("joined-1")

hear("taken-2")
check("with all of them in strangers' hands, both work on", round_trips(500))
comes_in(3, "strangers make room")
check("all three work", round_trips(100))
say("worked-2")
hear("over-2")
finish()
