# the time limit of each step of strangers from the network
# in: wire/strangers.cpp
# test: system_tests "[slow]"
s/until_ = deadline(entered_, Clock::now());/until_ = REMOVED ? Clock::now() + std::chrono::hours(1) : deadline(entered_, Clock::now());/
