# the refusal of paths nobody asked for
# in: wire/websocket_request.h
# test: system_tests "a request that is*"
s/if (!knows_path || !knows_path(target))/if (!REMOVED \&\& (!knows_path || !knows_path(target)))/
