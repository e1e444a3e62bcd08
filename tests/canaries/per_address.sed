# the limit of strangers from one address
# in: wire/strangers.cpp
# test: wire_tests "[T8]~[slow]"
s/if (count >= static_cast<long>(max_per_address))/if (!REMOVED \&\& count >= static_cast<long>(max_per_address))/
