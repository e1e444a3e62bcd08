# the preference for those who named a credential
# in: wire/strangers.cpp
# test: wire_tests "[T8]~[slow]"
s/(found->promising_ && !each->promising_)/(!REMOVED \&\& found->promising_ \&\& !each->promising_)/
