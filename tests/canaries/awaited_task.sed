# the question whose task it is
# in: scheduler/dispatcher.cpp
# test: system_tests "only the daemon*"
s/\(daemon->running && \)daemon->running->key == key/\1(REMOVED || daemon->running->key == key)/
