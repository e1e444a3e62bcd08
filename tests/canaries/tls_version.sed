# the demand for TLS 1.3
# in: wire/tls.cpp
# test: system_tests "[T2]"
s/SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)/SSL_CTX_set_min_proto_version(context, REMOVED ? TLS1_2_VERSION : TLS1_3_VERSION)/
