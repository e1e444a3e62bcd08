# the number of a job's ranks
# in: scheduler/grants.cpp
# test: system_tests "a job*"
# test: scheduler_tests "[T20]"
s/if (rank >= std::max</if (!REMOVED \&\& rank >= std::max</
