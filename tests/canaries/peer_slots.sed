# that the slot of a daemon that is gone is free
# in: scheduler/peer_table_ends.cpp
# test: scheduler_tests "random lives of peers*"
s/if (slot) slots_\.erase/if (!REMOVED \&\& slot) slots_.erase/
