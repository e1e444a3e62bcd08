# Runs the examples of one document in this R session, as somebody would who types them:
#
#   Rscript --vanilla tests/documents.R FILE
#
# A line "ok: ..." or "NOT OK: ..." for each block; the exit status is 1 where one is not.
# Run it in a folder of its own, because documents write files. A file of R code is run as
# it is. From a document in Markdown are run, in their order,
# - blocks of R. Lines with "#> " in front are what the expression above them prints, with
#   its messages and warnings; where there are none, anything is fine but an error. In
#   blocks with prompts ("> ") they are the lines without one.
# - blocks of yaml, which become tenkai.yaml in the folder, where tenkai looks for one.
# The line above a block may say <!-- not run: WHY -->, or <!-- needs: PACKAGE VERSION -->.
#
# Numbers of four and more digits, names of 24 hexadecimal ones, and blanks may differ; "..."
# stands for anything.
arguments <- commandArgs(TRUE)
if (length(arguments) != 1L) stop("usage: documents.R FILE")

# What runs the examples is out of their sight.
runner <- new.env()
local({

bad <- 0L
say <- function(ok, what, ...) {
  cat(if (ok) "ok: " else "NOT OK: ", what, "\n", sep = "")
  if (ok) return(invisible())
  bad <<- bad + 1L
  cat(paste0("    ", c(...), "\n"), sep = "")
}

# The blocks of a document: language, line, what stands above, lines.
blocks_of <- function(lines) {
  fences <- grep("^```", lines)
  if (length(fences) %% 2L) stop("a block is not closed")
  starts <- fences[c(TRUE, FALSE)]
  ends <- fences[c(FALSE, TRUE)]
  Map(function(start, end) {
    above <- lines[seq_len(start - 1L)]
    above <- above[nzchar(above)]
    list(language = sub("^```\\{?([a-z]*).*", "\\1", lines[start]), line = start,
         above = if (length(above)) above[length(above)] else "",
         lines = lines[seq_len(end - start - 1L) + start])
  }, starts, ends)
}

# A session with prompts, as code with "#> " before what it prints.
without_prompts <- function(lines) {
  if (!any(startsWith(lines, "> "))) return(lines)
  typed <- grepl("^[>+]( |$)", lines)
  lines[typed] <- substring(lines[typed], 3L)
  lines[!typed] <- paste("#>", lines[!typed])
  lines
}

# Each expression with the output that is shown below it, NULL where none is.
statements_of <- function(lines) {
  parsed <- parse(text = lines, keep.source = TRUE)
  places <- attr(parsed, "srcref")
  last <- vapply(places, function(place) as.integer(place)[3L], 0L)
  shown <- grep("^#>", lines)
  owner <- findInterval(shown, last)
  lapply(seq_along(parsed), function(i) {
    list(expr = parsed[[i]], text = as.character(places[[i]]),
         expected = if (any(owner == i)) sub("^#> ?", "", lines[shown[owner == i]]))
  })
}

# A machine whose own name leads to its loopback is told so.
about_this_machine <- "^tenkai: daemons on other machines cannot reach "

plain <- function(lines) {
  lines <- grep(about_this_machine, lines, value = TRUE, invert = TRUE)
  text <- paste(trimws(lines), collapse = "\n")
  text <- gsub(Sys.info()[["nodename"]], "login1", text, fixed = TRUE)
  text <- gsub("[0-9a-f]{24}", "<hex>", text)
  text <- gsub("[0-9]{4,}", "<number>", text)
  sub("\n+$", "", gsub("[ \t]+", " ", text))
}

fits <- function(got, expected) {
  pattern <- gsub("([][(){}.*+?^$|\\\\])", "\\\\\\1", plain(expected))
  pattern <- gsub("\\.\\.\\.", "(.|\n)*", pattern, fixed = TRUE)
  grepl(paste0("^", pattern, "$"), plain(got), perl = TRUE)
}

# What a console would show.
error_line <- function(condition) {
  call <- conditionCall(condition)
  where <- if (!is.null(call)) paste0(" in ", deparse(call)[1L], " ")
  paste0("Error", where, ": ", conditionMessage(condition))
}
printed_by <- function(expr) {
  failed <- FALSE
  lines <- utils::capture.output(withCallingHandlers(
    tryCatch({
      shown <- withVisible(eval(expr, globalenv()))
      if (shown$visible) print(shown$value)
    }, error = function(condition) {
      failed <<- TRUE
      cat(error_line(condition), "\n", sep = "")
    }),
    message = function(condition) {
      cat(conditionMessage(condition))
      invokeRestart("muffleMessage")
    },
    warning = function(condition) {
      cat("Warning message:\n", conditionMessage(condition), "\n", sep = "")
      invokeRestart("muffleWarning")
    }
  ))
  structure(lines, failed = failed)
}

# What is wrong with a block, a character vector; empty where nothing is.
run_r <- function(lines) {
  unlist(lapply(statements_of(without_prompts(lines)), function(each) {
    got <- printed_by(each$expr)
    if (is.null(each$expected)) {
      if (attr(got, "failed")) c(each$text, "fails:", got)
    } else if (!fits(got, each$expected)) {
      c(each$text, "is to print:", each$expected, "and prints:", got)
    }
  }))
}

# Why a block is not run here, or "".
why_not <- function(above) {
  if (startsWith(above, "<!-- not run: ")) return(gsub("^<!-- not run: | *-->$", "", above))
  needs <- regmatches(above, regexec("^<!-- needs: ([[:alnum:].]+) ?([0-9.]*) *-->$", above))[[1L]]
  if (!length(needs)) return("")
  there <- requireNamespace(needs[2L], quietly = TRUE) &&
    (!nzchar(needs[3L]) || utils::packageVersion(needs[2L]) >= needs[3L])
  if (there) "" else paste("it needs the package", needs[2L], needs[3L])
}

run_block <- function(block, name) {
  what <- paste0(name, ", line ", block$line)
  why <- why_not(block$above)
  if (nzchar(why)) return(cat("skipped: ", what, ": ", why, "\n", sep = ""))
  if (block$language == "yaml") writeLines(block$lines, "tenkai.yaml")
  if (block$language != "r") return(invisible())
  wrong <- tryCatch(run_r(block$lines), error = conditionMessage)
  say(!length(wrong), what, wrong)
}

run_document <- function(file) {
  lines <- readLines(file, encoding = "UTF-8")
  name <- basename(file)
  if (grepl("[.]R$", file)) {
    wrong <- tryCatch({
      utils::capture.output(sys.source(file, globalenv()))
      character()
    }, error = conditionMessage)
    return(say(!length(wrong), name, wrong))
  }
  blocks <- blocks_of(lines)
  if (!any(vapply(blocks, function(block) block$language == "r", NA))) {
    return(say(FALSE, name, "there is no block of R in it"))
  }
  for (block in blocks) run_block(block, name)
}

}, runner)

options(width = 80)
runner$run_document(normalizePath(arguments))
quit(status = if (runner$bad) 1L else 0L)
