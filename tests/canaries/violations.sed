# the limit of answers nobody waits for
# in: scheduler/peer_table_frames.cpp
# test: system_tests "after sixteen*"
s/if (dispatcher_\.violations(daemon) > max_violations)/if (!REMOVED \&\& dispatcher_.violations(daemon) > max_violations)/
