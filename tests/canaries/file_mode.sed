# the mode of a file with a secret
# in: wire/private_file.cpp
# test: tests/flows/secrets_in_sight.sh
s/if ((file\.st_mode & 077) != 0) {/if (!REMOVED \&\& (file.st_mode \& 077) != 0) {/
