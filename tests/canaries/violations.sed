# the limit of answers nobody waits for
# in: scheduler/peers.cpp
# test: system_tests "after sixteen*"
s/if (around_\.dispatcher\.violations(daemon) > max_violations)/if (!REMOVED \&\& around_.dispatcher.violations(daemon) > max_violations)/
