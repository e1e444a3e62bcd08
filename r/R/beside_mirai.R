# The real package mirai beside this one, as where its daemons are launched by carry().
# Both have methods for classes of the same names, and R knows only the last one that
# was registered: so each of ours passes objects of mirai on to its own.

register_beside_mirai <- function() {
  beside <- function(...) {
    theirs <- asNamespace("mirai")
    # compat/mirai makes nothing of its own.
    if ("tenkai" %in% names(getNamespaceImports(theirs))) return()
    for (name in names(shared_methods)) share_method(name, theirs)
  }
  if (isNamespaceLoaded("mirai")) beside()
  setHook(packageEvent("mirai", "onLoad"), beside)
}

# By class, the generics and where they are; those not named here do the same for both.
shared_methods <- c(
  "[.mirai" = "base", "[.mirai_map" = "base", "[.miraiCluster" = "base",
  print.mirai_map = "base", with.miraiDaemons = "base",
  sendData.miraiNode = "parallel", recvData.miraiNode = "parallel",
  recvOneData.miraiCluster = "parallel", stopCluster.miraiCluster = "parallel",
  as.promise.mirai = "promises", as.promise.mirai_map = "promises"
)

share_method <- function(name, theirs) {
  place <- shared_methods[[name]]
  own <- switch(name, as.promise.mirai = as_promise,
                as.promise.mirai_map = as_promise_of_all,
                get0(name, parent.env(environment())))
  other <- get0(name, theirs, inherits = FALSE)
  if (is.null(own) || is.null(other)) return()
  parts <- regmatches(name, regexec("^(.*)[.](mirai[A-Za-z_]*)$", name))[[1L]]
  register <- function(...) {
    registerS3method(parts[2L], parts[3L], method_for_both(own, other),
                     envir = asNamespace(place))
  }
  if (isNamespaceLoaded(place)) register() else
    setHook(packageEvent(place, "onLoad"), register)
}

# The object is evaluated already, and is not again; other arguments may be words.
method_for_both <- function(own, other) {
  function(x, ...) {
    call <- sys.call()
    call[[1L]] <- if (is_foreign(x)) other else own
    call[[2L]] <- x
    eval(call, parent.frame())
  }
}

# Whether an object of these classes was made by the real mirai.
is_foreign <- function(x) {
  if (inherits(x, "mirai_map")) {
    return(is.null(handle_of_map(x)) && length(unclass(x)) > 0L &&
             is_foreign(.subset2(x, 1L)))
  }
  if (inherits(x, "mirai")) return(!is.character(attr(x, "id")))
  if (inherits(x, "miraiDaemons")) return(is.logical(x))
  if (inherits(x, "miraiCluster")) return(is_foreign(.subset2(x, 1L)))
  !exists("common", x, inherits = FALSE)
}
