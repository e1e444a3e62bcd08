# the rest when there are no descriptors
# in: wire/listener.cpp
# test: tests/flows/out_of_descriptors.sh
s/(out_of_descriptors && makes_room(is_taken))/(out_of_descriptors \&\& (REMOVED || makes_room(is_taken)))/
