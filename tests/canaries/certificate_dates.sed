# the dates of a certificate that is dialled
# in: wire/tls.cpp
# test: system_tests "an agent says why*"
# test: system_tests "when the certificate*"
s/if (auto wrong = out_of_date(leaf, std::chrono::system_clock::now())) {/if (auto wrong = REMOVED ? std::nullopt : out_of_date(leaf, std::chrono::system_clock::now())) {/
