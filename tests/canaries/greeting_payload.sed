# the limit of a stranger's payload
# in: base/frame_reader.h
# test: system_tests "who lies*"
s/if (payload > limit) {/if (!REMOVED \&\& payload > limit) {/
