# The compute profiles of this session, by name. Each is an environment:
#   link    the link to its dispatcher; NULL where tasks are evaluated here
#   asked   what daemons() was called with
#   value   what daemons() returned
#   n       how many daemons there are
#   policy  how its tasks find daemons, a word of docs/cli.md
#   one_url TRUE where all daemons connect at one URL (`dispatcher = FALSE`, `open`)
#   urls    where daemons connect, by slot
#   spare   how many of them are beyond those of its daemons
#   options the arguments of each daemon, as texts by their names
#   for_hooks  bytes of its memory that are for hooks
#   relay   what of its tasks is relayed, a sum; NULL: nothing
#   session how the session was then, as variables for its daemons
#   hooks   those of its tasks; serial, defaults and shared are kept for them
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

new_profile <- function(asked, policy = NULL, relay = NULL) {
  made <- new.env(parent = emptyenv())
  made$asked <- asked
  made$policy <- policy
  made$one_url <- !is.null(policy) && policy != "queue"
  made$relay <- relay
  made
}

# What is set from now on; `value`: without its class.
keep_profile <- function(name, profile, value) {
  profile$value <- structure(value, class = c("miraiDaemons", name))
  profiles[[name]] <- profile
  end_with_document(name, profile)
  profile$value
}

# How a session ends its daemons, as ByeKind of base/frame.h: those that stay (autoexit =
# FALSE) only by "end_all".
bye_kinds <- c(end = 0L, end_all = 1L)

close_link <- function(profile, kind = "end") {
  .Call(tk_close, profile$link, bye_kinds[[kind]])
}

is_here <- function(profile) !is.null(profile) && is.null(profile$link)

# Whether a profile takes tasks: its dispatcher may have ended.
is_alive <- function(profile) {
  !is.null(profile) &&
    (is.null(profile$link) || .Call(tk_state, profile$link) == 0L)
}

# Arguments of daemons() that say nothing of what is set, or nothing to be kept.
not_compared <- c("...", ".compute", "tls", "pass")

# The value of daemons() where daemons are set already.
stay <- function(profile, asked, name) {
  if (!identical(asked, profile$asked)) {
    other <- if (name != "default") paste0(", .compute = \"", name, "\"")
    message("tenkai: daemons are set already for the compute profile '", name,
            "' (", profile$n, "), and nothing was changed: call daemons(0",
            other, ") first to set others", if (!is_here(profile)) {
              paste0(", or launch_local(n = 1", other,
                     ") for one more where a place is free")
            })
  }
  profile$value
}

# What takes the tasks of a profile: its link (NULL: they are evaluated here), and
# what is relayed. On the way of every mirai(): no more checks than needed.
taker_for <- function(name) {
  if (is.null(name)) name <- current$profile else
    if (!is.character(name) || length(name) != 1L) check_string(name, ".compute")
  profile <- profiles[[name]]
  if (is.null(profile)) list(link = ephemeral_link()) else profile
}

# For a process that was forked off: what the parent has set is not ours.
own_link <- function(name) {
  profile_of(name)
  ephemeral_link()
}

# The dispatcher for all profiles that are not set: a fresh R for each task, which is like
# this session now.
ephemeral_link <- function() {
  link <- found$ephemeral
  session <- session_environment()
  if (!is.null(link) && .Call(tk_state, link) == 0L &&
      identical(found$session, session)) {
    return(link)
  }
  link <- start_dispatcher(session = session)
  found$session <- session
  .Call(tk_setup, link, lines_of(list(
    policy = "ephemeral", rscript = rscript(), daemon = "cleanup=FALSE"
  )))
  found$ephemeral <- link
  renew_ephemeral()
  link
}

rscript <- function() file.path(R.home("bin"), "Rscript")
