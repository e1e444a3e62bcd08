# the limit to what a ClientHello may announce
# in: wire/tls_stream.cpp
# test: system_tests "who lies*"
s/return !check_ || check_->accept/return REMOVED || !check_ || check_->accept/
