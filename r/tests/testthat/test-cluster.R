# Clusters of package parallel.

# make_cluster() for the rest of a test.
set_cluster <- function(..., frame = parent.frame()) {
  cl <- make_cluster(...)
  do.call(on.exit, list(bquote(stop_cluster(.(cl))), TRUE, FALSE),
          envir = frame)
  cl
}

to_node <- function(cl, i, fun, ...) {
  parallel:::sendCall(cl[[i]], fun, list(...))
  parallel:::recvResult(cl[[i]])
}

test_that("clusters and nodes have the classes and forms of the seed's", {
  cl <- set_cluster(2)

  expect_identical(class(cl), c("miraiCluster", "cluster"))
  id <- attr(cl, "id")
  expect_match(id, "^`[0-9]+`$")
  expect_identical(printed(cl), paste0("< miraiCluster | ID: ", id,
                                       " nodes: 2 active: TRUE >"))
  expect_identical(class(cl[[2]]), "miraiNode")
  expect_identical(attr(cl[[2]], "node"), 2L)
  expect_identical(printed(cl[[2]]),
                   paste0("< miraiNode | node: 2 cluster ID: ", id, " >"))
  expect_identical(printed(cl[1]), paste0("< miraiCluster | ID: ", id,
                                          " nodes: 1 active: TRUE >"))
  expect_identical(status(cl)$connections, 2L)
})

test_that("a cluster that was stopped says so, and no other one has its name", {
  cl <- make_cluster(1)
  expect_null(expect_invisible(stop_cluster(cl)))
  expect_match(printed(cl), "active: FALSE")
  expect_error(parallel::clusterCall(cl, identity, 1),
               "cluster is no longer active", fixed = TRUE)

  other <- set_cluster(1)
  expect_false(attr(other, "id") == attr(cl, "id"))
  expect_error(parallel::clusterCall(cl, identity, 1),
               "cluster is no longer active", fixed = TRUE)
  parallel::stopCluster(cl)
  expect_identical(parallel::clusterCall(other, identity, 1), list(1))
  parallel::stopCluster(other)
  expect_match(printed(other), "active: FALSE")
})

test_that("the functions of parallel give what they give everywhere", {
  cl <- set_cluster(2)

  expect_identical(parallel::clusterCall(cl, sum, 1, 2), list(3, 3))
  expect_identical(parallel::clusterEvalQ(cl, 1 + 1), list(2, 2))
  expect_identical(parallel::clusterApply(cl, 1:5, sqrt), lapply(1:5, sqrt))
  expect_identical(parallel::clusterApplyLB(cl, 1:5, sqrt), lapply(1:5, sqrt))
  expect_identical(parallel::clusterMap(cl, `+`, 1:3, 4:6), list(5L, 7L, 9L))
  expect_identical(parallel::clusterMap(cl, rep, 1:3, 3:1,
                                        .scheduling = "dynamic"),
                   Map(rep, 1:3, 3:1))
  expect_identical(parallel::clusterSplit(cl, 1:5), list(1:2, 3:5))
  expect_identical(parallel::parLapply(cl, 1:7, sqrt), lapply(1:7, sqrt))
  expect_identical(parallel::parLapplyLB(cl, 1:7, sqrt, chunk.size = 1),
                   lapply(1:7, sqrt))
  expect_identical(parallel::parSapply(cl, c(a = 1, b = 4), sqrt),
                   sapply(c(a = 1, b = 4), sqrt))
  expect_identical(parallel::parSapplyLB(cl, 1:7, sqrt), sapply(1:7, sqrt))
  m <- matrix(1:6, 2)
  expect_identical(parallel::parApply(cl, m, 1, sum), apply(m, 1, sum))
  expect_identical(parallel::parRapply(cl, m, sum), apply(m, 1, sum))
  expect_identical(parallel::parCapply(cl, m, sum), apply(m, 2, sum))
  expect_identical(parallel::parLapply(cl, NULL, sqrt), list())
  expect_identical(parallel::clusterCall(cl, function() NULL), list(NULL, NULL))
})

test_that("what is left on a node is there for all that is sent to it later", {
  cl <- set_cluster(3)
  pids <- unlist(parallel::clusterCall(cl, Sys.getpid))
  expect_length(unique(pids), 3)

  # Not the one after another, as those who take turns would.
  for (i in c(2, 2, 3, 1, 3, 3)) {
    expect_identical(to_node(cl, i, Sys.getpid), pids[i])
  }
  exported <- new.env()
  exported$offset <- 100
  parallel::clusterExport(cl, "offset", exported)
  expect_identical(unlist(parallel::parLapplyLB(cl, 1:9, function(x) x + offset,
                                                chunk.size = 1)), 1:9 + 100)
  to_node(cl, 3, assign, "mine", "third", envir = globalenv())
  expect_identical(to_node(cl, 3, get, "mine"), "third")
  expect_false(to_node(cl, 1, exists, "mine"))
  expect_identical(unlist(parallel::clusterCall(cl[2:3], Sys.getpid)),
                   pids[2:3])
})

test_that("random numbers are those of a PSOCK cluster of the same size", {
  draws <- function(cl) {
    parallel::clusterSetRNGStream(cl, 123)
    list(parallel::clusterCall(cl, stats::rnorm, 2),
         parallel::clusterEvalQ(cl, stats::runif(1)),
         parallel::parLapply(cl, 1:6, function(i) sample(100, 3)))
  }
  psock <- parallel::makeCluster(2, type = "PSOCK")
  at_end(parallel::stopCluster(psock))

  expect_identical(draws(set_cluster(2)), draws(psock))
})

test_that("an error of a call is one of parallel's", {
  cl <- set_cluster(2)

  expect_error(parallel::clusterCall(cl[1], function() stop("no luck")),
               "one node produced an error: no luck$")
  expect_error(parallel::parLapply(cl, 1:2, function(i) stop("no luck")),
               "2 nodes produced errors; first error: no luck$")
  expect_identical(parallel::clusterCall(cl, identity, 1), list(1, 1))
})

test_that("a node that dies is an error that names it, and the others go on", {
  cl <- set_cluster(2)
  pids <- unlist(parallel::clusterCall(cl, Sys.getpid))
  die <- function(pid) {
    if (Sys.getpid() == pid) tools::pskill(pid, tools::SIGKILL)
  }

  expect_error(parallel::clusterCall(cl, die, pids[2]),
               "node 2 of cluster .*: 19 \\| Connection reset: .*SIGKILL")
  expect_error(parallel::clusterCall(cl, identity, 1),
               "one node produced an error: node 2 of cluster .*SIGKILL")
  expect_error(parallel::clusterApplyLB(cl, 1:20, identity),
               "node 2 of cluster .*SIGKILL")
  expect_identical(parallel::clusterCall(cl[1], Sys.getpid), list(pids[1]))
})

test_that("a process that was forked from the session has not its cluster", {
  cl <- set_cluster(1)
  job <- parallel::mcparallel(
    tryCatch(parallel::clusterCall(cl, identity, 1), error = conditionMessage)
  )
  said <- parallel::mccollect(job)[[1]]
  expect_match(said, "was forked from the session")
  expect_identical(parallel::clusterCall(cl, identity, 1), list(1))
})

test_that("what an interrupted call has left on a node is stopped", {
  cl <- set_cluster(2)
  parallel:::sendCall(cl[[1]], Sys.sleep, list(600))

  expect_identical(parallel::clusterCall(cl, identity, "new"),
                   list("new", "new"))
  expect_error(parallel:::recvResult(cl[[1]]), "has nothing to do")
  expect_error(parallel:::recvOneResult(cl), "have nothing to do")
})

test_that("nodes from elsewhere are waited for where they are first used", {
  said <- utils::capture.output(cl <- set_cluster(2, url = "tcp://127.0.0.1:0"))
  expect_identical(said[1:3], c("Shell commands for deployment on nodes:", "",
                                "[1]"))
  commands <- launch_remote(cl)
  expect_length(commands, 2)
  expect_length(launch_remote(cl[[2]]), 1)
  for (i in 1:2) paste_into("sh", commands[i])

  pids <- suppressMessages(unlist(parallel::clusterCall(cl, Sys.getpid)))

  expect_length(unique(pids), 2)
})

test_that("nodes are launched as a configuration says", {
  shell <- c("-c", ".")
  each <- set_cluster(url = "tcp://127.0.0.1:0",
                      remote = remote_config("sh", list(shell, shell)))
  expect_length(each, 2)
  many <- set_cluster(2, url = "tcp://127.0.0.1:0",
                      remote = remote_config("sh", shell))

  expect_length(unique(unclass(launch_remote(many))), 2)

  for (cl in list(each, many)) {
    pids <- suppressMessages(unlist(parallel::clusterCall(cl, Sys.getpid)))
    expect_length(unique(pids), 2)
    expect_identical(to_node(cl, 2, Sys.getpid), pids[2])
  }
})

test_that("a launch that has failed is an error where the cluster is used", {
  cl <- set_cluster(url = "tcp://127.0.0.1:0",
                    remote = remote_config("false", list(c("x", "."))))

  expect_error(suppressMessages(parallel::clusterCall(cl, identity, 1)),
               "not all nodes of cluster .* can come: launch 1 has failed")
})

test_that("arguments that make no cluster are refused, and say why", {
  expect_error(make_cluster("two"),
               "'n' must be numeric, did you mean to provide 'url'?",
               fixed = TRUE)
  expect_error(make_cluster(), "'n' must be numeric")
  expect_error(make_cluster(0), "'n' must be 1 or greater", fixed = TRUE)
  expect_error(make_cluster(1, url = rep("tcp://127.0.0.1:0", 2)),
               "only one 'url' should be specified", fixed = TRUE)
  expect_error(make_cluster(1, cleanup = TRUE), "'cleanup' cannot be given")
  expect_error(make_cluster(1, sync = TRUE), "'sync' cannot be given")
  expect_error(make_cluster(Inf), "'n' must be a number of nodes, not Inf")
  expect_error(make_cluster(1, remote = 3), "'remote' must come from")
  expect_error(make_cluster(1, remote = remote_config("sh", ".")),
               "needs a 'url'")
  expect_error(stop_cluster(1), "'cl' must be a cluster")
  expect_length(ls(tenkai:::profiles, pattern = "`"), 0)
})

test_that("the type is known to makeCluster() where R can be told of it", {
  if (getRversion() < "4.4") {
    expect_error(register_cluster(),
                 "this function requires R version 4.4 or newer", fixed = TRUE)
    skip("R before 4.4 knows only types of its own")
  }
  register_cluster(default = FALSE)
  cl <- parallel::makeCluster(1, type = "TENKAI")
  at_end(stop_cluster(cl))
  expect_s3_class(cl, "miraiCluster")
})

test_that("foreach runs on a cluster by way of doParallel", {
  skip_if_not_installed("doParallel")
  cl <- set_cluster(2)
  doParallel::registerDoParallel(cl)
  at_end(foreach::registerDoSEQ())
  `%dopar%` <- foreach::`%dopar%`
  y <- 10

  found <- foreach::foreach(i = 1:4, .combine = c) %dopar% (i * y)

  expect_identical(found, 1:4 * 10)
})
