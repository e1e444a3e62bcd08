# the ten seconds of strangers on this machine
# in: wire/greeting.cpp
# test: system_tests "[slow]"
s/stranger->until = std::chrono::steady_clock::now() + time_limit;/stranger->until = std::chrono::steady_clock::now() + (REMOVED ? std::chrono::hours(1) : time_limit);/
