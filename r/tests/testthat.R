library(testthat)
library(tenkai)

test_check("tenkai")
