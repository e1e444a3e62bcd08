# the question who is at the other end of a local socket
# in: wire/local_socket.cpp
# test: system_tests "[T1]"
s/if (who\.uid != ::geteuid())/if (!REMOVED \&\& who.uid != ::geteuid())/
