# the limit of a stranger's attributes
# in: base/frame_reader.h
# test: system_tests "who lies*"
s/if (attributes > std::min<std::uint64_t>(max_attributes, limit_)) {/if (!REMOVED \&\& attributes > std::min<std::uint64_t>(max_attributes, limit_)) {/
