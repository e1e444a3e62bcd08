# the question which attempt it was
# in: scheduler/dispatcher.cpp
# test: system_tests "an answer to another attempt*"
s/daemon->running->attempt == attempt) {/(REMOVED || daemon->running->attempt == attempt)) {/
