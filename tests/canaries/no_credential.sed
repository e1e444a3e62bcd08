# the demand for a credential over the network
# in: wire/greeting.cpp
# test: tests/flows/another_user.sh
# test: tests/flows/strangers_tls.sh
s/if (stranger->connection->peer()\.network) return on_hello/if (!REMOVED \&\& stranger->connection->peer().network) return on_hello/
