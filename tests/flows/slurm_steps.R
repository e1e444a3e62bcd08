# The plugin dies while daemons run as steps of the session's job, see
# slurm_run.sh.
source("common.R")

launches <- function() attr(status(), "launches", exact = TRUE)
plugin <- function() {
  pids <- children_of(nextget("pid"))
  pids[grepl("plugin slurm", vapply(pids, command_of, ""))]
}
# Returns when the next one is there.
kill_plugin <- function() {
  old <- plugin()
  tools::pskill(old, tools::SIGKILL)
  wait_for(function() length(plugin()) == 1L && plugin() != old, 5)
}
steps <- function() {
  rows <- strsplit(system2("squeue", c("-h", "-s", "-o", "'%i %j'"),
                           stdout = TRUE), " ")
  names <- vapply(rows, `[`, "", 2L)
  vapply(rows, `[`, "", 1L)[startsWith(names, "tenkai-")]
}

invisible(daemons(2))
check("a plugin that is killed is there again", kill_plugin())
values <- lapply(1:2, function(i) mirai(i, i = i))
check("it takes no step with it",
      identical(lapply(values, function(m) call_mirai(m)$data), list(1L, 2L)))
check("nor the names of its jobs", all(grepl("[.]launch[12]$", launches()$job)))
system2("scancel", steps())
ended <- wait_for(function() all(launches()$state == "gone"), 20, must = FALSE)
check("when the step ends, the next plugin knows it", ended)
if (!ended) print(as.list(launches()))
invisible(daemons(0))

# And a script that does not listen when its session ends.
invisible(daemons(2))
# Beside it the plugin may pack what a launch would bring along.
script <- Filter(function(pid) startsWith(command_of(pid), "bash "),
                 descendants_of(plugin()))[1L]
check("the step of another set has a script",
      kill_plugin() && is_running(script))
tools::pskill(script, tools::SIGSTOP)
invisible(daemons(0))
check("which is ended with it, even where it does not listen",
      wait_for(function() !is_running(script), 10))
finish()
