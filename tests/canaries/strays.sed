# the limit of answers from ranks that do not exist
# in: scheduler/peer_table_frames.cpp
# test: system_tests "a daemon that floods*"
s/if (++peer\.strays > max_violations)/if (!REMOVED \&\& ++peer.strays > max_violations)/
