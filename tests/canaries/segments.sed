# the refusal of a stranger's segments
# in: wire/connection.cpp
# test: system_tests "who lies*"
s/if (!known_) {/if (!REMOVED \&\& !known_) {/
