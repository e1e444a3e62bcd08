# Launches daemons by every plugin, and shows all that there is to show.
source("common.R")

shown <- file(file.path(work, "shown"), "w")
show <- function(...) write_all_of(shown, ...)
online <- function() sum(status()$daemons[, "online"])
r <- file.path(work, "Rscript")
ways <- list(
  "any command, through standard input" =
    remote_config("sh -c", ".", rscript = r, credential = "stdin"),
  "any command, by a file" = remote_config("sh -c", ".", rscript = r),
  "SSH" = ssh_config("ssh://host", rscript = r),
  "the SSH client" = ssh_config("ssh://host", rscript = r, command = "ssh"),
  "the plugin of the documentation" =
    list(command = "tiny", rscript = r, plugin = "tiny", each = list(list()))
)
invisible(daemons(length(ways), url = "wss://127.0.0.1:0"))
for (i in seq_along(ways)) {
  show(launch_remote(i, remote = ways[[i]]),
       launch_remote(i, remote = ways[[i]], dry_run = TRUE))
  came <- wait_for(function() status()$daemons[i, "online"] == 1, 60, must = FALSE)
  check(paste("a daemon has come by", names(ways)[i]), came)
  if (!came) print(status())
}
said <- testthat::capture_messages({
  for (remote in list(remote_config("sh -c 'cat; exit 3'", "."),
                      ssh_config("ssh://host", rscript = "/bin/cat"))) {
    show(launch_remote(1, remote = remote))
  }
  wait_for(function() {
    sum(attr(status(), "launches")$state == "failed") == 2L
  })
  wait_for(function() {
    status()
    FALSE
  }, 1, must = FALSE)
})
show(said, status())
check("launches that fail have said so", length(said) >= 1L)
check("and what their commands repeat is not shown",
      !any(grepl("dGVua2Fp", c(said, attr(status(), "launches")$message))))
close(shown)
finish()
