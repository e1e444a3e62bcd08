# the dialler's check of the CHALLENGE
# in: wire/handshake.cpp
# test: system_tests "[T3]"
# test: wire_tests "[T3]"
s/if (!same(\*proof, proof_of(token_, nonces_, listener_key,/if (!REMOVED \&\& !same(*proof, proof_of(token_, nonces_, listener_key,/
