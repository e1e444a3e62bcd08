# the ten seconds of strangers on this machine
# in: wire/greeting.cpp
# test: system_tests "[slow]"
s/if (!is_distant && local_\.size() == 1) arm();/if (!REMOVED \&\& !is_distant \&\& local_.size() == 1) arm();/
