#include "forked.h"

#include <pthread.h>

namespace tenkai {

namespace {

unsigned generation = 0;

}  // namespace

void count_forks() {
  pthread_atfork(nullptr, nullptr, [] { ++generation; });
}

unsigned fork_generation() { return generation; }

}  // namespace tenkai
