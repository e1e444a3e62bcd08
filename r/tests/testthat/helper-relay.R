# Hearing what tasks say.

# What call_mirai() of the task in `m` tells, as lines; its value is in `m`.
told <- function(m) {
  messages <- capture.output(type = "message",
                             lines <- capture.output(call_mirai(m)))
  c(lines, messages)
}

said <- function(m) {
  call_mirai(m)
  m$output
}
