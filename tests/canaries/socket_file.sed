# the mode of a socket file
# in: wire/listener.cpp
# test: tests/flows/another_user.sh
s/::chmod(url_\.path\.c_str(), 0600);/if (!REMOVED) ::chmod(url_.path.c_str(), 0600);/
