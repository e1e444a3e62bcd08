# the dates of a certificate that is shown
# in: wire/tls.cpp
# test: system_tests "a dispatcher is not set up*"
s/if (auto wrong = out_of_date(\*read->leaf, now)) {/if (auto wrong = REMOVED ? std::nullopt : out_of_date(*read->leaf, now)) {/
