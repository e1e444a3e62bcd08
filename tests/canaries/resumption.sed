# the secret by which one comes back after a break
# in: agent/agent.cpp
# test: tests/flows/broken_network.sh
s/if (!resumption_) resumption_ = handshake_->resumption();/if (!resumption_ \&\& !REMOVED) resumption_ = handshake_->resumption();/
