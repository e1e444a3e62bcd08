# The network between two daemons and their dispatcher breaks while they work.
source("common.R")

invisible(daemons(url = c("tls+tcp://127.0.0.1:0", "wss://127.0.0.1:0/one")))
urls <- nextget("urls")
online <- function() as.vector(status()$daemons[, "online"])

# Each has a network of its own: the URL it dials has the proxy's port.
proxies <- file.path(work, c("first", "second"))
for (i in 1:2) {
  dir.create(proxies[i])
  port <- sub(".*:([0-9]+)(/.*)?$", "\\1", urls[i])
  system2(Sys.which("python3"), c("-B", "break_proxy.py", port, proxies[i]),
          stdout = FALSE, wait = FALSE)
}
ports <- file.path(proxies, "port")
check("there is a network", wait_for(function() all(file.exists(ports))))
through <- vapply(1:2, function(i) {
  sub(":[0-9]+", paste0(":", readLines(ports[i])), urls[i])
}, "")
lines <- file.path(work, c("line.1", "line.2"))
place <- paste0("@", file.path(work, "line"))
commands <- launch_remote(1:2, credential = place)
commands <- vapply(1:2, function(i) {
  sub(urls[i], through[i], commands[i], fixed = TRUE)
}, "")
invisible(file.copy(lines, paste0(lines, ".copy"), copy.mode = TRUE))
for (command in commands) run_launch(paste0(command, "\n"))
check("two daemons have come through it",
      wait_for(function() all(online() == 1)))
passed <- function() {
  numbers <- file.path(proxies, "passed")
  vapply(numbers, function(each) as.integer(readLines(each)), 0L)
}
check("each by one connection", all(passed() == 1L))

# Every task says that it has begun, and lasts until it may end.
go <- file.path(work, "go")
runs <- file.path(work, c("run.1", "run.2"))
tasks <- lapply(1:2, function(i) {
  mirai({
    cat("x", file = runs[i], append = TRUE)
    while (!file.exists(go)) Sys.sleep(0.05)
    sum(as.numeric(seq_len(2e5)))
  }, runs = runs, i = i, go = go)
})
check("they work", wait_for(function() all(file.exists(runs))))

# --- it breaks ---

broken <- file.path(proxies, "broken")
invisible(file.create(broken))
check("both are gone for the dispatcher, which waits",
      wait_for(function() all(attr(status(), "state") == "suspect")))
Sys.sleep(2)
check("their tasks are not lost", all(vapply(tasks, unresolved, NA)))
invisible(file.remove(broken))
back <- wait_for(function() all(attr(status(), "state") == "busy"), must = FALSE)
check("they come back, over a second connection",
      back && all(passed() >= 2L))
if (!back) finish()
invisible(file.create(go))
answers <- vapply(tasks, function(m) as.numeric(call_mirai(m)$data)[1L], 0)
check("and have carried on with their tasks",
      all(answers == 2e5 * (2e5 + 1) / 2))
check("which have run once", all(file.size(runs) == 1))
counts <- status()$daemons
check("no daemon was counted a second time", all(counts[, "instance"] == 1))

# --- breaks while nothing runs, and while the answer is on its way ---

for (round in 1:3) {
  begun <- passed()
  ends <- file.path(work, paste0("ends.", round))
  m <- mirai({
    answer <- rep(round, 3e6)
    file.create(ends)
    answer
  }, round = round, ends = ends)
  wait_for(function() file.exists(ends), pause = 0.001)
  invisible(file.create(broken))
  wait_for(function() all(attr(status(), "state") == "suspect"))
  invisible(file.remove(broken))
  right <- identical(call_mirai(m)$data, rep(round, 3e6))
  back <- wait_for(function() all(online() == 1) && all(passed() > begun), must = FALSE)
  check(sprintf("a break in the middle of an answer of 24 MB, %d: it arrives",
                round), right && back)
}

# --- and the credential is as used up as it was ---

second <- function(i) {
  call <- sprintf("tenkai::daemon('%s', credential = '@%s.copy')", urls[i],
                  lines[i])
  rscript <- c("20 Rscript --vanilla -e", shQuote(call))
  suppressWarnings(system2("timeout", rscript, stdout = TRUE, stderr = TRUE))
}
words <- vapply(1:2, function(i) paste(second(i), collapse = " "), "")
check("a second use of the credential is refused, and says so",
      all(grepl("has been used already", words)))
if (!all(grepl("has been used already", words))) print(words)
check("the daemons did not notice", all(online() == 1) &&
        all(status()$daemons[, "instance"] == 1))
finish()
