#!/bin/sh
# Stands for Rscript where a test launches daemons over the network: an agent, behind
# which a few lines of perl do as an R would. What follows -e is the call
#   tenkai::daemon('URL',credential='SOURCE')
# TENKAI_BIN is the program, TENKAI_FLOW_VERSION what the perl says it is.
while [ "$1" != -e ]; do shift; done
here=$(dirname "$0")
url=${2#*\'} url=${url%%\'*}
credential=${2#*credential=\'} credential=${credential%%\'*}
exec "$TENKAI_BIN" agent --url "$url" --credential "$credential" --rscript "$here/../flows/no_r.pl"
