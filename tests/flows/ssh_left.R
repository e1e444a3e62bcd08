# A session with daemons by SSH, through both ways, that waits for its end.
source("common.R")
port <- Sys.getenv("PORT")
here <- paste0("ssh://127.0.0.1:", port)
invisible(daemons(4, url = "wss://127.0.0.1:0", remote = ssh_config(here)))
invisible(daemons(2, url = "ws://127.0.0.1:0", .compute = "client",
                  remote = ssh_config("ssh://rsa")))
hanging <- paste0("ssh://127.0.0.1:", Sys.getenv("SILENT"))
invisible(daemons(1, url = "ws://127.0.0.1:0", .compute = "hanging",
                  remote = ssh_config(hanging, timeout = 60)))
online <- function(...) sum(status(...)$daemons[, "online"])
wait_for(function() online() == 4 && online("client") == 2, 60)
begun <- file.path(work, paste0("left.", 1:6))
busy <- lapply(begun, function(file) mirai({
  file.create(file)
  while (TRUE) NULL
}, file = file))
wait_for(function() sum(file.exists(begun)) == 4L)
invisible(file.create(file.path(work, "ready")))
Sys.sleep(600)
