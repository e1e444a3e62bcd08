# the secret by which one comes back after a break
# in: agent/agent.cpp
# test: tests/flows/broken_network.sh
s/if (!resuming_) resumption_ = handshake_->resumption();/if (!resuming_ \&\& !REMOVED) resumption_ = handshake_->resumption();/
