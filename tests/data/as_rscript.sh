#!/bin/sh
# Stands for Rscript where a test needs a process that ends in its own way: runs
# the text behind -e as a shell command.
while [ "$1" != -e ]; do shift; done
exec /bin/sh -c "$2"
