# the refusal of pages in browsers
# in: wire/websocket_request.h
# test: system_tests "a request that is*"
s/if (request\.count(http::field::origin) != 0)/if (!REMOVED \&\& request.count(http::field::origin) != 0)/
