# The pipeline of tests/carry/targets_slurm.sh.
library(targets)

tar_option_set(
  controller = tenkai::tenkai_controller_group(
    tenkai::tenkai_controller(profile = "cpu"),
    tenkai::tenkai_controller(profile = "gpu")
  ),
  error = "null"
)

place <- function() {
  c(node = Sys.getenv("SLURMD_NODENAME"), job = Sys.getenv("SLURM_JOB_ID"),
    place = Sys.getenv("PLACE"))
}

# Once: the next attempt finds the file.
kill_once <- function(x) {
  if (x != 77 || file.exists("killed")) return(x)
  file.create("killed")
  tools::pskill(Sys.getpid(), tools::SIGKILL)
  Sys.sleep(600)
}

take_memory <- function() {
  kept <- list()
  for (i in 1:600) {
    kept[[i]] <- rep(as.numeric(i), 1e6)
    Sys.sleep(0.01)
  }
  length(kept)
}

list(
  tar_target(x, seq_len(200)),
  tar_target(branch, kill_once(x), pattern = map(x)),
  tar_target(sums, sum(branch)),
  tar_target(greedy, take_memory()),
  tar_target(near, place()),
  tar_target(far, place(), resources = tar_resources(
    crew = tar_resources_crew(controller = "gpu", seconds_timeout = 60)
  ))
)
