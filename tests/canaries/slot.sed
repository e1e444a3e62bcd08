# the check that a credential is for the slot
# in: scheduler/peers.cpp
# test: system_tests "[T4]"
s/if (admission && !dependencies_\.grants\.covers(/if (!REMOVED \&\& admission \&\& !dependencies_.grants.covers(/
