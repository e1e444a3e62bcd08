# As much JSON as bench/ needs: reading flat objects of numbers, writing lists.

# list(name = number, ...) from the last line of what a program printed.
read_flat <- function(lines) {
  line <- lines[length(lines)]
  pairs <- regmatches(line, gregexpr('"[^"]+": *[-+0-9.eE]+', line))[[1L]]
  values <- as.list(as.double(sub('^"[^"]+": *', "", pairs)))
  names(values) <- sub('^"([^"]+)".*$', "\\1", pairs)
  values
}

to_json <- function(x, indent = "") {
  if (is.null(x)) return("null")
  inner <- paste0(indent, "  ")
  if (is.list(x)) {
    if (!length(x)) return(if (is.null(names(x))) "[]" else "{}")
    parts <- vapply(x, to_json, "", indent = inner)
    marks <- c("[", "]")
    if (!is.null(names(x))) {
      parts <- paste0(text_json(names(x)), ": ", parts)
      marks <- c("{", "}")
    }
    return(paste0(marks[1L], "\n", paste0(inner, parts, collapse = ",\n"), "\n",
                  indent, marks[2L]))
  }
  values <- if (is.character(x)) text_json(x) else if (is.logical(x))
    ifelse(is.na(x), "null", ifelse(x, "true", "false")) else
    ifelse(is.finite(x), sprintf("%.10g", x), "null")
  if (length(x) == 1L) return(values)
  paste0("[", paste(values, collapse = ", "), "]")
}

text_json <- function(text) {
  text <- gsub("([\"\\\\])", "\\\\\\1", text)
  text <- gsub("\n", "\\\\n", text)
  paste0('"', gsub("[[:cntrl:]]", " ", text), '"')
}
