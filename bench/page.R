# Writes docs/performance.md, and its plots, from what bench/run and bench/run --data have measured
# last:
#
#   Rscript page.R BUILD
#
# Called by bench/run --page.

build <- commandArgs(TRUE)[1L]
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1L]))
docs <- file.path(dirname(here), "docs")
for (file in c("json.R", "table.R")) source(file.path(here, file))

measured <- function(name, option) {
  file <- file.path(build, "bench", name)
  if (!file.exists(file)) stop("bench/run ", option, " has to run first", call. = FALSE)
  readRDS(file)
}
results <- measured("results.rds", "--with-mirai")
data <- measured("data.rds", "--data")
if (is.null(results$versions$mirai)) stop("mirai took no part: bench/run --with-mirai", call. = FALSE)

best <- results$medians
theirs <- paste("mirai", results$versions$mirai)
names_of <- c("floor", "tenkai", theirs)

# Horizontal bars, the best at the top, with their numbers.
bars <- function(title, values, names) {
  kept <- !vapply(values, is.null, NA)
  values <- rev(unlist(values[kept]))
  names <- rev(names[kept])
  colours <- ifelse(names == "tenkai", "#1b6ca8", "#b8c4cf")
  at <- graphics::barplot(values, horiz = TRUE, names.arg = names, las = 1, border = NA,
                          col = colours, axes = FALSE, xlim = c(0, 1.25 * max(values)), main = title)
  graphics::text(values, at, vapply(values, number_text, ""), pos = 4, xpd = NA)
}

plot_file <- function(name, title, draw) {
  dir.create(file.path(docs, "performance"), showWarnings = FALSE)
  grDevices::svg(file.path(docs, "performance", name), width = 9, height = 4.6)
  graphics::par(mfrow = c(2L, 2L), mar = c(1, 7.5, 2, 2), cex.main = 0.95, font.main = 1)
  draw()
  grDevices::dev.off()
  sprintf("![%s](performance/%s)", title, name)
}

tasks <- plot_file("tasks.svg", "Small tasks: round trip, tasks per second, first answer", function() {
  bars("Round trip of one task, microseconds", list(best$floor$floor_us, best$tenkai$trip_median_us,
                                                    best$mirai$trip_median_us), names_of)
  bars("Tasks without work per second", list(NULL, best$tenkai$tasks_per_second,
                                             best$mirai$tasks_per_second), names_of)
  bars("daemons(2) to the first answer, milliseconds", list(NULL, best$tenkai$first_answer_ms,
                                                            best$mirai$first_answer_ms), names_of)
  bars("Round trip, the slowest in 100, microseconds", list(best$floor$floor_p99_us,
       best$tenkai$trip_p99_us, best$mirai$trip_p99_us), names_of)
})
data_bars <- function(title, key, copy = NULL) {
  bars(title, list(copy, data$tenkai[[key]], data$mirai[[key]]), c("one copy", "tenkai", theirs))
}
large <- plot_file("data.svg", "Large data: 80 MB to a task, 40 MB to 200 of them", function() {
  data_bars("80 MB to a task and back, milliseconds", "echo_ms", data$copy_ms)
  data_bars("80 MB to a task, their sum back, milliseconds", "sum_ms", data$copy_ms)
  data_bars("200 tasks that have 40 MB in common, seconds", "shared_s")
  data_bars("the most memory of all processes meanwhile, MB", "shared_mb")
})

row <- function(what, floor, ours, others, better = others / ours) {
  cell <- function(x) if (is.null(x)) "" else number_text(x)
  sprintf("| %s | %s | %s | %s | %s |", what, cell(floor), cell(ours), cell(others), number_text(better))
}
task_row <- function(what, key, better, floor = NULL) {
  row(what, floor, best$tenkai[[key]], best$mirai[[key]], results$ratios[[better]])
}
data_row <- function(what, key, copy = NULL) row(what, copy, data$tenkai[[key]], data$mirai[[key]])
r_version <- sub(" Patched.*| [(].*", "", results$machine$r)
writeLines(c(
  "# How fast it is",
  "",
  "What you see here was measured by",
  "",
  "```sh",
  "bench/run --with-mirai && bench/run --data && bench/run --page",
  "```",
  "",
  sprintf("with %d processors of a virtual machine, %s and %s. Machines differ,",
          results$machine$processors, r_version, theirs),
  "and so does one from hour to hour: what counts are the ratios, since all take turns within seconds",
  "of each other. Repeat it on yours. `bench/README.md` says what each row is, and how to read it with",
  "care.",
  "",
  "## Small tasks",
  "",
  tasks,
  "",
  "The floor is what no system of this shape can go below: four hops between three bare processes, and",
  "what R itself takes to write, read and evaluate a task that does nothing.",
  "",
  sprintf("| two local daemons | floor | tenkai | %s | times better |", theirs),
  "|---|---|---|---|---|",
  task_row("round trip, \u00b5s", "trip_median_us", "trip_mirai", best$floor$floor_us),
  task_row("the slowest of 100, \u00b5s", "trip_p99_us", "trip_p99_mirai", best$floor$floor_p99_us),
  task_row("tasks per second", "tasks_per_second", "tasks_mirai"),
  task_row("`daemons(2)` to the first answer, ms", "first_answer_ms", "first_mirai"),
  "",
  "## Large data",
  "",
  large,
  "",
  "One copy is that of 80 MB into a fresh memory file, which anything that leaves a process takes at",
  "least. The sum takes its own time, too. Whoever receives a large vector of numbers maps it, and does",
  "not copy it (`?tenkai::mirai`); what several tasks have in common is sent with each of them. In a",
  "`mirai_map()` it is sent once: give it as `.args`.",
  "",
  sprintf("| | one copy | tenkai | %s | times better |", theirs),
  "|---|---|---|---|---|",
  data_row("80 MB there and back, ms", "echo_ms", data$copy_ms),
  data_row("80 MB there, their sum back, ms", "sum_ms", data$copy_ms),
  data_row("200 tasks with 40 MB in common, s", "shared_s"),
  data_row("the most memory meanwhile, MB", "shared_mb")
), file.path(docs, "performance.md"))
cat("docs/performance.md\n")
