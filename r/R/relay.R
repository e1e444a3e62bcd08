# What a task says while it runs: in the daemon, from its handlers to C++; in the
# session, from C++ to who listens.

# As C++ has them (Saying::Kind), by the names that users give.
sayings <- c(output = 1L, message = 2L, warning = 4L, condition = 8L)

# Beside them: nothing is relayed but what the task itself gives to say_as_it_is().
said_by_itself <- 16L

# The sum that `relay` stands for; NULL: nothing is relayed.
relay_of <- function(relay, argument) {
  if (is.null(relay) || isFALSE(relay)) return()
  if (isTRUE(relay)) return(sum(sayings))
  if (!is.character(relay) || !length(relay) || !all(relay %in% names(sayings))) {
    stop(sprintf("'%s' must be TRUE, FALSE or some of %s, not %s", argument,
                 paste0("\"", names(sayings), "\"", collapse = ", "),
                 describe(relay)), call. = FALSE)
  }
  sum(sayings[unique(relay)])
}

# --- in the daemon ---

# Established around a task, outside of all handlers of its own. `kinds`: a sum.
relay_handlers <- function(kinds, data_only) {
  list(condition = function(condition) {
    kind <- kind_to_relay(condition)
    if (is.na(kind) || bitwAnd(kinds, sayings[[kind]]) == 0L) return()
    # R ignores it, or makes an error of it.
    if (kind == "warning" && !isTRUE(getOption("warn") %in% 0:1)) return()
    restarts <- vapply(computeRestarts(condition), `[[`, "", 1L)
    heard <- tryCatch(say(kind, condition, restarts, data_only),
                      error = function(e) FALSE)
    if (!heard) return()
    muffle <- c(message = "muffleMessage", warning = "muffleWarning")[kind]
    if (muffle %in% restarts) invokeRestart(muffle)
  })
}

kind_to_relay <- function(condition) {
  if (inherits(condition, c("error", "interrupt"))) return(NA_character_)
  is <- vapply(c("warning", "message"), inherits, NA, x = condition)
  c(names(is)[is], "condition")[1L]
}

# Whether it will be heard. What cannot be sent as it is goes as its message.
say <- function(kind, condition, restarts, data_only) {
  if (is_ours(call_of(condition))) condition <- without_call(condition)
  send <- function(condition) send_condition(kind, condition, restarts)
  whole <- !data_only && tryCatch(send(condition), error = function(e) FALSE)
  whole || send(plain_condition(condition))
}

send_condition <- function(kind, condition, restarts) {
  what <- if (kind != "condition") condition else
    list(condition, utils::head(setdiff(restarts, "abort"), 8L))
  .Call(tk_say, sayings[[kind]], what)
}

# Says a condition that the session signals as it is, without the number of its task:
# it travels within another one.
say_as_it_is <- function(condition) {
  restarts <- vapply(computeRestarts(condition), `[[`, "", 1L)
  send <- function(condition) {
    within <- structure(class = c("tenkai_as_it_is", "condition"),
                        list(message = "", call = NULL, condition = condition))
    send_condition("condition", within, restarts)
  }
  attempt <- function(condition) {
    tryCatch(send(condition), error = function(e) FALSE)
  }
  if (!attempt(condition) && !attempt(plain_condition(condition))) return()
  muffle <- intersect(c("muffleMessage", "muffleWarning"), restarts)
  if (length(muffle)) invokeRestart(muffle[1L])
}

plain_condition <- function(condition) {
  message <- substr(readable_message(condition), 1L, 8192L)
  structure(class = class(condition), list(message = message, call = NULL))
}

# The sink of a daemon takes the output of R to nobody; stdout() is that sink.
begin_output <- function() if (sink.number() > 0L) sink(getConnection(1L))

end_output <- function(level) while (sink.number() > level) sink()

# --- in the session ---

# By the id of a mirai (of a map, of its first element), until its task has said
# all. Each is an environment:
#   said     texts, in order, and the names of their kinds
#   tasks    the number of the task of each
#   recent   the same two of the last few texts, which come behind those: adding to
#            a short vector costs little
#   partial  by the number of a task: the line that has not ended, as bytes
#   bytes    of all texts, and of the ends of their lines
#   left_out how many of the first ones are not kept any more
heard <- new.env(parent = emptyenv())

# Bytes of text that `m$output` keeps.
most_output <- 2^20

nothing_said <- list(said = character(), tasks = numeric())

new_record <- function(id) {
  record <- new.env(parent = emptyenv())
  record$said <- character()
  record$tasks <- numeric()
  record$recent <- nothing_said
  record$partial <- list()
  record$bytes <- record$left_out <- 0
  heard[[id]] <- record
  record
}

# From now on `mirai$output` is what it says; `task`: only this element of a map.
keep_output <- function(mirai, record = new_record(attr(mirai, "id")),
                        task = NULL) {
  force(record)
  look <- function(value) {
    .Call(tk_unresolved, mirai)
    output_in(record, task)
  }
  makeActiveBinding("output", look, mirai)
  mirai
}

output_in <- function(record, task) {
  settle_recent(record)
  said <- if (is.null(task)) record$said else record$said[record$tasks == task]
  if (!record$left_out) return(said)
  c("left out" = paste(record$left_out, "before these"), said)
}

# C++ calls it for each thing that was said, in order. `id`: of the record.
hear <- function(id, task, kind, what, attempt) {
  record <- heard[[id]]
  if (kind == 32L) return(if (!is.null(record)) end_record(id, record))
  if (is.null(record)) record <- new_record(id)
  if (kind == 16L) return(hear_gap(task))
  if (is.null(what)) return()
  name <- names(sayings)[match(kind, sayings)]
  if (name == "output") {
    return(hear_output(record, task, what, attempt))
  }
  restarts <- character()
  if (name == "condition" && is_said_with(what)) {
    restarts <- what[[2L]]
    what <- what[[1L]]
  }
  if (!is_condition_of(what, name)) return()
  end_line(record, task)
  said <- sub("\n$", "", readable_message(what))
  if (nzchar(said)) keep_said(record, task, name, said)
  attr(what, "task") <- task
  resignal(name, what, restarts)
}

# A daemon may send anything.
is_said_with <- function(what) {
  is.list(what) && !is.object(what) && length(what) == 2L &&
    is.character(what[[2L]]) && !anyNA(what[[2L]])
}

is_condition_of <- function(what, kind) {
  inherits(what, "condition") && typeof(what) %in% c("list", "environment") &&
    identical(kind_to_relay(what), kind)
}

end_record <- function(id, record) {
  rm(list = id, envir = heard)
  for (task in names(record$partial)) end_line(record, as.numeric(task))
}

hear_gap <- function(task) {
  tell_lines(task, "(some of what it said was left out: nobody listened)",
             stderr())
}

# Whole lines; what is behind them waits for its end.
hear_output <- function(record, task, bytes, attempt = 1) {
  key <- number_text(task)
  # Another attempt does not go on with the line of the one before.
  if (!identical(attr(record$partial[[key]], "attempt") %||% attempt, attempt)) {
    end_line(record, task)
  }
  bytes <- c(record$partial[[key]], bytes[bytes != as.raw(0L)])
  ends <- which(bytes == as.raw(10L))
  last <- if (length(ends)) ends[length(ends)] else 0L
  rest <- bytes[seq_along(bytes) > last]
  if (length(rest) > 65536L) rest <- on_top(rest)
  if (length(rest) > 65536L) {  # a part of a line goes as one
    last <- length(bytes)
    rest <- raw()
  }
  record$partial[[key]] <- if (length(rest)) structure(rest, attempt = attempt)
  if (last) tell_output(record, task, bytes[seq_len(last)])
}

# What a terminal shows of bytes that went over themselves.
on_top <- function(bytes) {
  back <- which(utils::head(bytes, -1L) == as.raw(13L))
  if (length(back)) utils::tail(bytes, -back[length(back)]) else bytes
}

end_line <- function(record, task) {
  key <- number_text(task)
  rest <- record$partial[[key]]
  record$partial[[key]] <- NULL
  if (length(rest)) tell_output(record, task, as.vector(rest))
}

tell_output <- function(record, task, bytes) {
  text <- readable(rawToChar(bytes))
  # What went over itself on a terminal.
  lines <- sub(".*\r(.)", "\\1", strsplit(text, "\n", fixed = TRUE)[[1L]])
  keep_said(record, task, "output", lines)
  tell_lines(task, lines, stdout())
}

keep_said <- function(record, task, kind, texts) {
  names(texts) <- rep(kind, length(texts))
  recent <- record$recent
  record$recent <- list(said = c(recent$said, texts),
                        tasks = c(recent$tasks, rep(task, length(texts))))
  record$bytes <- record$bytes + sum(nchar(texts, "bytes") + 1)
  if (length(record$recent$said) > 500L) settle_recent(record)
  if (record$bytes > 2 * most_output) forget_first(record)
}

settle_recent <- function(record) {
  record$said <- c(record$said, record$recent$said)
  record$tasks <- c(record$tasks, record$recent$tasks)
  record$recent <- nothing_said
}

forget_first <- function(record) {
  settle_recent(record)
  size <- nchar(record$said, "bytes") + 1
  kept <- rev(cumsum(rev(size))) <= most_output
  record$left_out <- record$left_out + sum(!kept)
  record$said <- record$said[kept]
  record$tasks <- record$tasks[kept]
  record$bytes <- sum(size[kept])
}

tell_lines <- function(task, lines, where) {
  if (!length(lines)) return()
  clear_wait()
  writeLines(paste0("[task ", number_text(task), "] ", harmless(lines)), where)
}

# As if it came from here: to the handlers there are, or else as R does it.
resignal <- function(kind, condition, restarts) {
  task <- attr(condition, "task")
  clear_wait()
  if (inherits(condition, "tenkai_as_it_is")) {
    return(signal_as_it_is(condition, restarts))
  }
  switch(
    kind,
    message = withRestarts({
      signalCondition(condition)
      text <- sub("\n$", "", readable_message(condition))
      tell_lines(task, strsplit(text, "\n", fixed = TRUE)[[1L]], stderr())
    }, muffleMessage = function() NULL),
    warning = warning(named_after(condition, task)),
    signal_with(condition, restarts)
  )
  invisible()
}

# A daemon may have put anything into it.
signal_as_it_is <- function(within, restarts) {
  condition <- if (is.list(within)) unclass(within)[["condition"]]
  if (!inherits(condition, "condition")) return(invisible())
  kind <- kind_to_relay(condition)
  if (!is_condition_of(condition, kind)) return(invisible())
  switch(kind, message = message(condition), warning = warning(condition),
         signal_with(condition, restarts))
  invisible()
}

named_after <- function(condition, task) {
  if (is.list(condition)) {
    condition$message <- paste0("[task ", number_text(task), "] ",
                                readable_message(condition))
  }
  condition
}

readable_message <- function(condition) readable(message_of(condition))

# As UTF-8; bytes that are none are written as <ff>.
readable <- function(text) {
  if (Encoding(text) == "bytes") Encoding(text) <- "unknown"
  iconv(enc2utf8(text), "UTF-8", "UTF-8", sub = "byte")
}

# Its handlers may rely on restarts; what they do is done there already.
signal_with <- function(condition, restarts) {
  none <- lapply(stats::setNames(nm = restarts), function(name) {
    function(...) NULL
  })
  eval(as.call(c(list(quote(withRestarts), quote(signalCondition(condition))),
                 none)))
}

# --- the line that a terminal shows while it waits ---

waits <- new.env(parent = emptyenv())

# Waits for a mirai; after a moment the line tells for what, and for how long.
wait_in_sight <- function(mirai) {
  if (!shows_waits() || .Call(tk_wait, mirai, 2)) {
    return(.Call(tk_wait, mirai, NULL))
  }
  begun <- proc.time()[["elapsed"]] - 2
  on.exit(clear_wait())
  repeat {
    show_wait(mirai, proc.time()[["elapsed"]] - begun)
    if (.Call(tk_wait, mirai, 1)) return(invisible())
  }
}

shows_waits <- function() {
  interactive() && isatty(stderr()) && !isFALSE(getOption("tenkai.waiting"))
}

show_wait <- function(mirai, seconds) {
  clear_wait()
  said <- if (exists("output", mirai, inherits = FALSE)) mirai$output
  last <- if (length(said)) paste0(": ", harmless(said[[length(said)]]))
  line <- sprintf("waiting for task %.0f, %.0f s%s", number_of_task(mirai),
                  seconds, last %||% "")
  line <- substr(line, 1L, getOption("width") - 1L)
  cat(line, file = stderr())
  waits$width <- nchar(line, "width")
}

number_of_task <- function(mirai) {
  as.numeric(sub(".*-", "", attr(mirai, "id")))
}

clear_wait <- function() {
  if (is.null(waits$width)) return()
  cat("\r", strrep(" ", waits$width), "\r", sep = "", file = stderr())
  waits$width <- NULL
}
