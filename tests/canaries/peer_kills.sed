# that a kill is not for the next R of a rank
# in: scheduler/peer_table_ends.cpp
# test: scheduler_tests "what is to be killed*"
s/^  peer\.to_kill\.erase(rank)/  if (!REMOVED) peer.to_kill.erase(rank)/
