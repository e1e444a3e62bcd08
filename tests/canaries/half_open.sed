# the limit of strangers in all
# in: wire/strangers.cpp
# test: wire_tests "[T8]~[slow]"
s/if (all_\.size() >= max_half_open)/if (!REMOVED \&\& all_.size() >= max_half_open)/
