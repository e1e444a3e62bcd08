# the closing of strangers' connections on exec
# in: wire/listener.cpp
# test: tests/flows/slow_strangers.sh
s/^\( *Descriptor caller(\)::accept4(acceptor_\.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));/\1::accept4(acceptor_.native_handle(), nullptr, nullptr, (REMOVED ? 0 : SOCK_CLOEXEC) | SOCK_NONBLOCK));/
