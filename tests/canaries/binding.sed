# the binding to the TLS connection
# in: wire/handshake.cpp
# test: system_tests "[T4]"
# test: wire_tests "[T4]"
s/mac(key, transcript + binding)/mac(key, REMOVED ? transcript : transcript + binding)/
