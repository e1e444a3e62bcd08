# the rest when there are no descriptors
# in: wire/listener.cpp
# test: tests/flows/out_of_descriptors.sh
s/failed == EAGAIN ? accept() : rest();/failed == EAGAIN || REMOVED ? accept() : rest();/
