# the count of uses
# in: scheduler/grants.cpp
# test: system_tests "[T5]"
# test: system_tests "a job*"
# test: scheduler_tests "[T5]"
s/if (grant\.terms\.uses != 0 && used >= grant\.terms\.uses)/if (!REMOVED \&\& grant.terms.uses != 0 \&\& used >= grant.terms.uses)/
