# The compute profiles of this session, by name. Each is an environment:
#   link    the link to its dispatcher
#   value   what daemons() returned
#   direct  TRUE without a dispatcher's queue (`dispatcher = FALSE`)
#   urls    where daemons connect, by slot
#   spare   how many of them are beyond those of its daemons
#   options the arguments of each daemon, as texts by their names
profiles <- new.env(parent = emptyenv())

# NULL if the profile is not set. One that was set by the process this one was
# forked from counts as not set. `name` NULL: the current one.
profile_of <- function(name) {
  name <- compute_of(name)
  profile <- profiles[[name]]
  if (is.null(profile)) return()
  if (.Call(tk_state, profile$link) != 1L) return(profile)
  rm(list = name, envir = profiles)
  NULL
}

# On the way of every mirai(): no more checks than needed.
link_for <- function(name) {
  if (is.null(name)) name <- current$profile else
    if (!is.character(name) || length(name) != 1L) check_string(name, ".compute")
  profile <- profiles[[name]]
  if (is.null(profile)) ephemeral_link() else profile$link
}

# For a process that was forked off: what the parent has set is not ours.
own_link <- function(name) {
  profile_of(name)
  ephemeral_link()
}

# The dispatcher for all profiles that are not set: a fresh R for each task.
ephemeral_link <- function() {
  link <- found$ephemeral
  if (!is.null(link) && .Call(tk_state, link) == 0L) return(link)
  link <- start_dispatcher()
  .Call(tk_setup, link, lines_of(list(
    policy = "ephemeral", rscript = rscript(), daemon = "cleanup=FALSE"
  )))
  found$ephemeral <- link
  link
}

rscript <- function() file.path(R.home("bin"), "Rscript")
