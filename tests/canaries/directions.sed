# a key of its own for each direction
# in: wire/handshake.cpp
# test: wire_tests "[T4]"
s/derive(token, nonces, role)/derive(token, nonces, REMOVED ? listener_key : role)/
