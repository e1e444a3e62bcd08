# Until 50 daemons are online: local ones, and 50 on one host by SSH.
#
#   Rscript launch.R [ROUNDS]
#
# The host is this machine, by a private SSH server on its loopback; the two take
# turns. Called by bench/run --launch; needs root, as the server does.

library(tenkai)
rounds <- as.integer(c(commandArgs(TRUE), "5")[1L])
n <- 50L
folder <- tempfile("ssh")
dir.create(folder, mode = "755")
here <- function(name) file.path(folder, name)
port <- 30000L + Sys.getpid() %% 2000L

for (key in c("host", "ours")) {
  system2("ssh-keygen", c("-q", "-t", "ed25519", "-N", "''", "-f", here(key)))
}
dir.create("/run/sshd", showWarnings = FALSE, mode = "755")
writeLines(c(
  paste("Port", port), "ListenAddress 127.0.0.1", "UsePAM no", "StrictModes no",
  paste("HostKey", here("host")), paste("AuthorizedKeysFile", here("ours.pub")),
  paste("PidFile", here("pid")),
  paste0("ForceCommand echo >>", here("logins"), "; R_LIBS='",
         Sys.getenv("R_LIBS"),
         "' exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"")
), here("sshd_config"))
writeLines(paste0("[127.0.0.1]:", port, " ", readLines(here("host.pub"))),
           here("known_hosts"))
writeLines(c("Host *", paste("UserKnownHostsFile", here("known_hosts")),
             paste("IdentityFile", here("ours")), "IdentitiesOnly yes",
             "IdentityAgent none"), here("ssh_config"))
system2("/usr/sbin/sshd", c("-f", here("sshd_config")))
for (i in 1:100) if (file.exists(here("pid"))) break else Sys.sleep(0.05)
server <- as.integer(readLines(here("pid")))

# Seconds until all are online.
time_until_online <- function(...) {
  begun <- Sys.time()
  daemons(n, ...)
  while (sum(status()$daemons[, "online"]) < n) Sys.sleep(0.01)
  seconds <- as.double(Sys.time()) - as.double(begun)
  daemons(0)
  Sys.sleep(2)
  seconds
}

remote <- ssh_config(paste0("ssh://127.0.0.1:", port), config = here("ssh_config"))
seconds <- replicate(rounds, c(
  local = time_until_online(),
  ssh = time_until_online(url = "wss://127.0.0.1:0", remote = remote)
))
tools::pskill(server)
logins <- length(readLines(here("logins")))
ratio <- median(seconds["ssh", ] / seconds["local", ])
cat(sprintf("%d daemons online after, median: %.2f s local, %.2f s by SSH\n", n,
            median(seconds["local", ]), median(seconds["ssh", ])))
cat(sprintf("commands run by SSH: %d in %d rounds\n", logins, rounds))
cat(sprintf("  %-12s  by SSH, against local  %.2f  (<= 1.3)\n",
            if (ratio <= 1.3) "reached" else "NOT REACHED", ratio))
