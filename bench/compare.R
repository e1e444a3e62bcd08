# Runs all measurements, round after round, and tells what came out. Called by
# bench/run, which builds what is measured:
#
#   Rscript compare.R BENCH BUILD ROUNDS full|quick
#
# The contestants take turns within each round, and every other round the other
# way round, so that a machine that is busy for a while is busy for all. Ratios
# are made within a round; the median over the rounds counts.

arguments <- commandArgs(trailingOnly = TRUE)
bench <- arguments[1L]
build <- arguments[2L]
rounds <- as.integer(arguments[3L])
quick <- arguments[4L] == "quick"
for (file in c("json.R", "goals.R", "table.R")) source(file.path(bench, file))

sizes <- if (quick) {
  list(trips = 500, tasks = 5000, echoes = 3, swarm = 30000, idle = 3)
} else {
  list(trips = 2000, tasks = 20000, echoes = 5, swarm = 100000, idle = 10)
}
has_mirai <- nzchar(system.file(package = "mirai"))
mirai_name <- if (has_mirai) {
  paste("mirai", packageVersion("mirai"))
} else {
  "mirai"
}

# --- one measurement: a program that prints numbers ---

measure <- function(command, ...) {
  words <- vapply(list(...), function(x) {
    shQuote(if (is.numeric(x)) format(x, scientific = FALSE) else x)
  }, "")
  lines <- suppressWarnings(system2(command, words, stdout = TRUE,
                                    timeout = 300))
  status <- attr(lines, "status")
  if (!is.null(status)) {
    stop("this measurement failed with status ", status, ": ",
         paste(c(command, words), collapse = " "), call. = FALSE)
  }
  read_flat(lines)
}

program <- function(name) file.path(build, "bin", name)
script <- function(name, ...) {
  measure(file.path(R.home("bin"), "Rscript"), "--vanilla",
          file.path(bench, name), ...)
}

measure_floor <- function() {
  numbers <- c(measure(program("bench_floor"), 10 * sizes$trips),
               script("r_part.R", sizes$trips))
  numbers$floor_us <- numbers$hops_median_us + numbers$r_median_us
  numbers$floor_p99_us <- numbers$hops_p99_us + numbers$r_p99_us
  numbers
}

contestant <- function(package) {
  force(package)
  function() {
    script("contestant.R", package, sizes$trips, sizes$tasks, sizes$echoes)
  }
}

measure_swarm <- function() {
  measure(program("bench_swarm"), "tasks", program("tenkai"), 10, 1000,
          sizes$swarm, 2000)
}

contestants <- list(floor = measure_floor, tenkai = contestant("tenkai"))
if (has_mirai) contestants$mirai <- contestant("mirai")
contestants$swarm <- measure_swarm

# --- all rounds ---

# One line that is written over, for those who wait; nothing in a log.
progress <- function(text) {
  if (isatty(stderr())) cat(sprintf("\r%-40s\r%s", "", text), file = stderr())
}

one_round <- function(i) {
  order <- names(contestants)
  if (i %% 2L == 0L) order <- rev(order)
  numbers <- list()
  for (name in order) {
    progress(sprintf("round %d of %d: %s", i, rounds, name))
    numbers[[name]] <- contestants[[name]]()
  }
  numbers
}

# The median of each number over the rounds, in the shape of one round.
median_of <- function(all) {
  sapply(names(contestants), function(name) {
    keys <- names(all[[1L]][[name]])
    sapply(keys, function(key) {
      median(vapply(all, function(round) round[[name]][[key]], 0))
    }, simplify = FALSE)
  }, simplify = FALSE)
}

# --- ratios ---

# How to get each ratio from one round. Those against mirai are above 1 where
# tenkai is better.
ratios <- list(
  trip_floor = function(r) r$tenkai$trip_median_us / r$floor$floor_us,
  trip_hops = function(r) r$tenkai$trip_median_us / r$floor$hops_median_us,
  trip_p99_floor = function(r) r$tenkai$trip_p99_us / r$floor$floor_p99_us,
  trip_mirai = function(r) r$mirai$trip_median_us / r$tenkai$trip_median_us,
  trip_p99_mirai = function(r) r$mirai$trip_p99_us / r$tenkai$trip_p99_us,
  tasks_mirai = function(r) {
    r$tenkai$tasks_per_second / r$mirai$tasks_per_second
  },
  # R's own part is done by the session and the daemons; two processors halve it.
  tasks_r = function(r) r$tenkai$tasks_per_second * r$floor$r_median_us / 2e6,
  echo_mirai = function(r) r$mirai$echo_ms / r$tenkai$echo_ms,
  first_mirai = function(r) r$mirai$first_answer_ms / r$tenkai$first_answer_ms,
  dispatcher_hops = function(r) {
    r$swarm$many_cpu_per_task_us / r$floor$hops_median_us
  },
  dispatcher_growth = function(r) {
    r$swarm$many_cpu_per_task_us / r$swarm$few_cpu_per_task_us
  }
)

ratio_from <- function(all) {
  function(name) {
    if (is.null(ratios[[name]])) return(NA_real_)
    values <- unlist(lapply(all, ratios[[name]]))
    if (length(values)) median(values) else NA_real_
  }
}

# --- the whole run ---

machine <- function() {
  info <- Sys.info()
  list(system = paste(info[["sysname"]], info[["release"]], info[["machine"]]),
       processors = parallel::detectCores(), r = R.version.string)
}

all <- lapply(seq_len(rounds), one_round)
progress("the dispatcher is left alone")
idle <- measure(program("bench_swarm"), "idle", program("tenkai"), sizes$idle)
progress("")

best <- c(median_of(all), list(idle = idle))
ratio <- ratio_from(all)
reached <- goals(ratio, best)
print_contest(best, ratio, mirai_name)
print_costs(best, mirai_name)
print_dispatcher(best)
print_goals(reached)

folder <- file.path(build, "bench")
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
file <- file.path(folder, "results.json")
results <- list(
  time = format(Sys.time(), "%Y-%m-%dT%H:%M:%SZ", tz = "UTC"),
  machine = machine(),
  versions = list(tenkai = format(packageVersion("tenkai")),
                  mirai = if (has_mirai) format(packageVersion("mirai"))),
  quick = quick,
  sizes = sizes,
  medians = best,
  ratios = sapply(names(ratios), ratio, simplify = FALSE),
  goals = reached,
  rounds = all
)
writeLines(to_json(results), file)
saveRDS(results, file.path(folder, "results.rds"))
cat("\nAll numbers: ", file, "\n", sep = "")
