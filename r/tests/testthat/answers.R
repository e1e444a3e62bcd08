# What R answers, and what a task must. test-answers.R evaluates each expression in
# this file at the top level of a plain Rscript, and as a task, and compares the
# value or the class, message, call and frames of the error. An expression that
# is to differ says before it in what, and why ("#! what: why").

# --- values ---
1 + 1
NULL
invisible(3)
quote(x + y)
(function(x) x + 1)(2)
{ f <- function(x) x^2; f(4) }
local({ a <- 1; a + 1 })
switch("b", a = 1, b = 2)
vapply(1:3, function(i) i * 2, 1)
{ f <- function(n) if (n <= 1) 1 else n * Recall(n - 1); f(5) }
{ for (i in 1:3) if (i == 2) break; i }
do.call("sum", list(1, 2))
strsplit("a\u00e4b", "")
{ f <- function() { on.exit(r <<- 1); 2 }; r <- 0; f() }
{ f <- function(...) ...length(); f(1, , 2) }
{ f <- function(x) missing(x); f() }
interactive()
environmentName(topenv())
{ x <- as.integer("a"); is.na(x) }
{ warning("w"); "after a warning" }
{ message("m"); "after a message" }

# --- errors at the top level ---
stop("plain")
stop("a", 1, "b")
stop()
stop("no call", call. = FALSE)
stop("two\nlines")
stop("\u00fcber \U1F600")
stop(strrep("long ", 5000))
stop(simpleError("made"))
stop(simpleError("made", quote(f(x))))
stop(errorCondition("built", class = "mine", data = 1, call = NULL))
{ f <- function() stop(errorCondition("built", call = sys.call(-1))); f() }
stop(structure(list(message = "old", call = NULL, trace = NULL, parent = NULL), class = c("rlang_error", "error", "condition")))
stop(structure(list(message = "m"), class = c("short", "error", "condition")))
no_such_object
no_such_function(1)
{ f <- 5; f() }
stopifnot(1 == 2)
stopifnot("must be two" = 1 == 2)
break
#! message, call: a task is evaluated by a call
UseMethod("none")
Recall()
if (NA) 1
if (c(TRUE, FALSE)) 1
while (NULL) 1
parse(text = "(")
library(no.such.package)

# --- errors of R's own functions ---
1 + "a"
-"a"
!"a"
log("a")
log(-1:1, base = "x")
sum("a")
list(1)[[3]]
list(a = 1)[["b"]][["c"]]
1$a
NULL[[1]][[2]]
get("nope")
as.environment("nope")
match.arg("x", c("a", "b"))
match.fun("none")
integer(-1)
rep(1:3, times = -1)
seq(1, 10, by = -1)
vapply(1:2, function(i) "a", 1)
matrix(1:6, 2) %*% matrix(1:6, 2)
solve(matrix(0, 2, 2))
{ x <- 1:6; dim(x) <- 4 }
as.numeric(list(1:2))
.Call("nothing")
unserialize(raw(3))
readRDS("nowhere.rds")
file("/nowhere/x", "r")
source("nowhere.R")
gsub("(", "", "a")
as.Date("x")
data.frame(a = 1:2, b = 1:3)
lm(y ~ x, data.frame(x = 1))
{ setClass("P", representation(x = "numeric")); new("P", x = "a") }

# --- errors within functions ---
{ f <- function(x) g(x); g <- function(x) stop("deep"); f(1) }
{ f <- function(x) g(x); g <- function(x) log("a"); f(1) }
{ f <- function(x) x; f(stop("lazy")) }
{ f <- function() stop(errorCondition("in", call = sys.call())); f() }
{ f <- function() g(); g <- function() stop(errorCondition("up", call = sys.call(-1))); f() }
lapply(1:2, function(i) stop("c"))
sapply(1:2, function(i) no_such_object)
Reduce(function(a, b) stop("r"), 1:3)
do.call("stop", list("called"))
do.call(function(x) stop(x), list("inline"))
eval(quote(stop("a")))
local(stop("a"))
evalq(stop("a"), new.env())
{ f <- function(a_long_name, another_long_name) stop("x"); f(a_long_name = c("some", "words", "that", "fill"), another_long_name = c("more", "than", "one", "line")) }
{ f <- function() { on.exit(stop("late")); 1 }; f() }
{ f <- function() { on.exit(stop("late")); stop("first") }; f() }
{ makeActiveBinding("z", function() stop("active"), environment()); z }
{ delayedAssign("p", stop("promised")); p }

# --- conditions ---
tryCatch(stop("a"), error = conditionCall)
tryCatch(stop("a"), error = function(e) stop("b"))
tryCatch(stop("a"), error = function(e) stop(e))
tryCatch(log("a"), error = conditionCall)
tryCatch(warning("w"), warning = conditionCall)
tryCatch(message("m"), message = conditionMessage)
tryCatch(signalCondition("s"), condition = class)
tryCatch(stop("a"), finally = stop("b"))
try(log("a"), silent = TRUE)
withCallingHandlers(stop("a"), error = function(e) stop("b"))
withCallingHandlers({ warning("w"); "on" }, warning = function(w) invokeRestart("muffleWarning"))
withRestarts(invokeRestart("mine", 3), mine = function(x) x * 2)
invokeRestart("none")
signalCondition(simpleCondition("s"))
{ options(warn = 2); as.integer("a") }
{ options(warn = 2); f <- function() warning("w"); f() }
{ options(warn = 2, warning.expression = quote(stop("never"))); suppressWarnings(as.integer("a")) }
{ conditionMessage.told <<- function(c) "told"; stop(errorCondition("x", class = "told")) }
{ conditionMessage.bad <<- function(c) stop("no"); stop(errorCondition("x", class = "bad")) }
tryCatch({ setTimeLimit(elapsed = 0.05); repeat Sys.sleep(0.01) }, error = conditionMessage)
#! class, message, trace: an error that is only signalled ends a task, because packages tell their errors so
signalCondition(simpleError("signalled"))
#! class, message, trace: there is no next expression to go on with
invokeRestart("abort")
#! class, message, call, trace: those of the daemon are beneath those of a task
globalCallingHandlers(warning = function(w) 1)

# --- depth ---
{ options(expressions = 500); f <- function() f(); tryCatch(f(), error = class) }
{ options(expressions = 500); f <- function() f(); tryCatch(f(), error = conditionMessage) }
#! trace: the frames of the daemon count
{ options(expressions = 500); f <- function() f(); f() }
# R soon compiles a function of the global environment, as k() is in Rscript, and not a
# local one, as it is in a task. Compiled it gets 640 calls deep in R 4.2 and 4,980 in
# R 4.5, else 2,490; options(expressions) lets none beyond 5,000.
{ k <- function(n) if (n == 0) 0 else k(n - 1); k(200) }
local({ k <- function(n) if (n == 0) 0 else k(n - 1); k(2000) })
{ k <- function(n) if (n == 0) 0 else k(n - 1); tryCatch(k(6000), stackOverflowError = function(e) "too deep") }

# --- frames ---
{ f <- function() sys.call(); f() }
{ f <- function(...) match.call(); f(1, a = 2) }
{ f <- function() g(); g <- function() sys.call(-1); f() }
{ f <- function() g(); g <- function() sys.nframe() - sys.parent(); f() }
{ f <- function(x) deparse(sys.function()); f() }
{ f <- function() parent.frame(); identical(f(), environment()) }
{ f <- function(a) nargs(); f(1) }
#! value: a task is evaluated by a call
sys.call()
#! value: a task is evaluated by a call
{ f <- function() sys.call(-1); f() }
#! value: a task is evaluated by a call
is.null(sys.function())
#! value: the frames of the daemon count
sys.nframe()
#! value: the frames of the daemon count
{ f <- function() sys.nframe(); f() }
#! value: the frames of the daemon count
{ f <- function() length(sys.calls()); f() }
#! value: a task has an environment of its own
identical(environment(), globalenv())
#! value, class, message, trace: a task can return its value
return(4)
#! value, class, message, call, trace: a task is evaluated by a call
match.call()
