# the limit of answers nobody waits for
# in: scheduler/peers.cpp
# test: system_tests "after sixteen*"
s/if (dependencies_\.dispatcher\.violations(daemon) > max_violations)/if (!REMOVED \&\& dependencies_.dispatcher.violations(daemon) > max_violations)/
