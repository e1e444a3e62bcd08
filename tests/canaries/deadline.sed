# the ten seconds of strangers from the network
# in: wire/strangers.cpp
# test: system_tests "[slow]"
s/ticket->until_ = Clock::now() + time_limit;/ticket->until_ = Clock::now() + (REMOVED ? std::chrono::hours(1) : time_limit);/
