# the check of the PROOF
# in: wire/greeting.cpp
# test: system_tests "[T2]"
# test: system_tests "[T4]"
s/if (!stranger->handshake->on_proof(frame)) {/if (!REMOVED \&\& !stranger->handshake->on_proof(frame)) {/
