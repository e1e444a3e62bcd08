# the end date of a credential at the dispatcher
# in: scheduler/grants.cpp
# test: scheduler_tests "[T20]"
s/if (grant\.terms\.until && now >= \*grant\.terms\.until)/if (!REMOVED \&\& grant.terms.until \&\& now >= *grant.terms.until)/
