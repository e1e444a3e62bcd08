# the pin of the dispatcher's key
# in: wire/tls.cpp
# test: system_tests "[T3]"
s/if (!shown || CRYPTO_memcmp(\(.*\)) != 0) {/if (!shown || (!REMOVED \&\& CRYPTO_memcmp(\1) != 0)) {/
