# saisei() closing the way back
# in: scheduler/grants.cpp
# test: scheduler_tests "[T5]"
s/if (grants_\.at(admission\.grant)\.is_void)/if (!REMOVED \&\& grants_.at(admission.grant).is_void)/
