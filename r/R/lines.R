# Lines of text that the program and this package exchange: base/lines.h.

# Fields `key=value`, from a list by their keys: an element with several texts stands
# in several lines, one that is NULL in none.
lines_of <- function(fields) {
  keys <- rep(names(fields), lengths(fields))
  values <- unlist(fields, use.names = FALSE)
  if (!length(values)) return("")
  paste0(keys, "=", escape_line(values), "\n", collapse = "")
}

# And back: texts by their keys, in their order; one key may come again.
fields_of <- function(text) {
  lines <- strsplit(text, "\n", fixed = TRUE)[[1L]]
  structure(unescape_line(sub("^[^=]*=", "", lines)),
            names = sub("=.*$", "", lines))
}

# Rows: the texts between tabs of each line.
rows_of <- function(text) {
  lapply(strsplit(strsplit(text, "\n", fixed = TRUE)[[1L]], "\t", fixed = TRUE),
         unescape_line)
}

# "name=value" for each value of a list; logical values and numbers as R writes
# them, whatever the user's options are.
pairs_of <- function(values) {
  texts <- lapply(values, value_text)
  if (!length(texts)) return()
  paste0(rep(names(texts), lengths(texts)), "=", unlist(texts, use.names = FALSE))
}

value_text <- function(value) {
  if (is.numeric(value)) return(number_text(value))
  ifelse(is.na(value), "NA", as.character(value))
}

# And back: a list of texts.
from_pairs <- function(pairs) {
  names <- sub("=.*$", "", pairs)
  split(sub("^[^=]*=", "", pairs), factor(names, unique(names)))
}

# A value within a line, and back.
escape_line <- function(text) {
  text <- enc2utf8(text)
  for (i in seq_along(line_escapes)) {
    text <- gsub(line_escapes[i], names(line_escapes)[i], text, fixed = TRUE,
                 useBytes = TRUE)
  }
  Encoding(text) <- "UTF-8"
  text
}

unescape_line <- function(text) {
  for (i in rev(seq_along(line_escapes))) {
    text <- gsub(names(line_escapes)[i], line_escapes[i], text, fixed = TRUE,
                 useBytes = TRUE)
  }
  Encoding(text) <- "UTF-8"
  text
}

line_escapes <- c("%25" = "%", "%0A" = "\n", "%0D" = "\r", "%09" = "\t")
