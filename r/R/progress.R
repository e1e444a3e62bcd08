# A bar that shows how many of some mirais have resolved.

is_on_terminal <- function() isatty(stderr()) || interactive()

# Functions: wait_for() one of the mirais, while the bar moves; end().
#
# To count them takes a while if they are very many: it is done the less often.
progress_bar <- function(arguments, mirais) {
  bar <- new_bar(arguments, length(mirais))
  clock <- function() proc.time()[["elapsed"]]
  shortest <- pause <- 0.2
  last <- clock()
  show <- function() {
    begun <- clock()
    bar$set(.Call(tk_count_resolved, mirais))
    last <<- clock()
    pause <<- max(shortest, 10 * (last - begun))
  }
  wait_for <- function(mirai) {
    while (!.Call(tk_wait, mirai, pause)) show()
    if (clock() - last >= pause) show()
  }
  end <- function() {
    show()
    bar$end()
  }
  list(wait_for = wait_for, end = end)
}

# Functions: set() how many are done; end().
new_bar <- function(arguments, total) {
  (if (has_cli_bars()) cli_bar else text_bar)(arguments, total)
}

has_cli_bars <- function() {
  requireNamespace("cli", quietly = TRUE) &&
    "cli_progress_bar" %in% getNamespaceExports("cli")
}

cli_bar <- function(arguments, total) {
  arguments$total <- total
  # It ends by end() alone: after that it knows no more.
  arguments$auto_terminate <- arguments$.auto_close <- FALSE
  id <- do.call(cli::cli_progress_bar, arguments)
  list(set = function(done) cli::cli_progress_update(set = done, id = id),
       end = function() cli::cli_progress_done(id = id))
}

text_bar <- function(arguments, total) {
  if (!is.null(arguments$name)) writeLines(arguments$name, stderr())
  bar <- utils::txtProgressBar(max = total, style = 3L, file = stderr())
  list(set = function(done) utils::setTxtProgressBar(bar, done),
       end = function() close(bar))
}
