# Hearing what tasks say.

# What call_mirai() of the task in `m` tells, as lines; its value is in `m`.
told <- function(m) {
  messages <- capture.output(type = "message",
                             lines <- capture.output(resolved(m)))
  c(lines, messages)
}

said <- function(m) {
  resolved(m)
  m$output
}
