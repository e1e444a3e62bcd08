# the question whose task it is
# in: scheduler/dispatcher.cpp
# test: system_tests "only the daemon*"
s/bool awaited = \(.*\)daemon->running->key == key/bool awaited = \1(REMOVED || daemon->running->key == key)/
