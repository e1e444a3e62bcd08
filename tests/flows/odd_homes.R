# See odd_homes.sh; the second argument says which part.
source("common.R")
part <- commandArgs(TRUE)[2L]

# The messages of the package while `expr` is evaluated.
messages_of <- function(expr) {
  said <- character()
  withCallingHandlers(expr, message = function(condition) {
    said <<- c(said, conditionMessage(condition))
    invokeRestart("muffleMessage")
  })
  said
}

if (part == "full") {
  Sys.setenv(TMPDIR = file.path(work, "full"))
  said <- tryCatch(daemons(2), error = conditionMessage)
  check("a temporary folder without room is named, with what to do",
        grepl("/full', takes no file: No space left on device", said, fixed = TRUE) &&
          grepl("set TMPDIR to another folder", said, fixed = TRUE))
  check("and nothing is left of daemons()", identical(status()$connections, 0L))
}

if (part == "umlaut") {
  check("the path is one that the locale does not know",
        !l10n_info()$`UTF-8` && !grepl("^[ -~]*$", Sys.getenv("HOME"), useBytes = TRUE))
  invisible(daemons(1))
  check("a program and a library in it are found", call_mirai(mirai(42))$data == 42)
  invisible(daemons(0))
  invisible(daemons(1, url = "tcp://127.0.0.1:0"))
  launch_local(1)
  m <- mirai(Sys.getenv("HOME"))
  check("an agent finds them, too", identical(call_mirai(m)$data, Sys.getenv("HOME")))
  check("and a profile is read", identical(profile("two")$daemons, 2L))
}

if (part == "waits") {
  warned <- tryCatch({ daemons(40); FALSE }, warning = conditionMessage)
  check("forty daemons are awaited as long as they keep coming", identical(warned, FALSE))
  check("all of them", sum(status()$daemons[, "online"]) == 40)
  invisible(daemons(0))

  invisible(daemons(1, url = "tcp://127.0.0.1:0"))
  said <- messages_of(call_mirai(mirai(1, .timeout = 20000)))
  check("who waits for a daemon that nobody has started is told so, once",
        length(said) == 1L && grepl("no daemon has joined yet", said))
  invisible(daemons(0))

  invisible(daemons(1, url = "tcp://127.0.0.1:0", memory = 1e6))
  big <- function() mirai(length(x), x = numeric(1e5), .timeout = 20000)
  said <- messages_of({ first <- big(); second <- big() })
  check("and so is who waits for memory",
        length(said) == 1L && grepl("no daemon has joined yet", said))
}
finish()
