# What goes through each transport, 1 MB at a time, there and back:
#
#   Rscript transports.R [ROUNDS]
#
# A session, a dispatcher, an agent and its R on this machine, one set for each
# transport, all at once; they take turns, so that what slows the machine down
# slows all of them. Called by bench/run --transports.

library(tenkai)
rounds <- as.integer(c(commandArgs(TRUE), "7")[1L])
x <- as.raw(seq_len(1e6) %% 251)
urls <- c(tcp = "tcp", "tls+tcp" = "tls+tcp", ws = "ws", wss = "wss")
tasks <- 40L

start <- function(name) {
  daemons(1, url = paste0(name, "://127.0.0.1:0"), .compute = name)
  launch_local(1, .compute = name)
  call_mirai(mirai(NULL, .compute = name))
}

# Seconds until all have come back.
echo <- function(name) {
  started <- Sys.time()
  all <- lapply(seq_len(tasks), function(i) mirai(x, x = x, .compute = name))
  for (each in all) stopifnot(length(call_mirai(each)$data) == length(x))
  as.double(Sys.time()) - as.double(started)
}

for (name in names(urls)) start(name)
for (name in names(urls)) echo(name)
seconds <- replicate(rounds, vapply(names(urls), echo, 0))
for (name in names(urls)) daemons(0, .compute = name)

rates <- apply(tasks / seconds, 1L, median)
shares <- apply(t(seconds["tcp", ] / t(seconds)), 1L, median)
cat(sprintf("%-10s %24s %12s\n", "", "MB there and back per s", "against tcp"))
for (name in names(urls)) {
  cat(sprintf("%-10s %24.0f %12.2f\n", name, rates[[name]], shares[[name]]))
}
cat(sprintf("\n  %-12s  tls+tcp, against tcp  %.2f  (>= 0.7)\n",
            if (shares[["tls+tcp"]] >= 0.7) "reached" else "NOT REACHED",
            shares[["tls+tcp"]]))
