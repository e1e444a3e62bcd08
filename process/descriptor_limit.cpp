#include "process/descriptor_limit.h"

#include <sys/resource.h>

#include <optional>

#include "base/bytes.h"

namespace tenkai {
namespace {

std::optional<rlimit>& before() {
  static std::optional<rlimit> limit;
  return limit;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  before() = limit;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Bytes::max_open_files = static_cast<std::size_t>(limit.rlim_cur / 2);
}

void restore_descriptor_limit(pid_t child) {
  if (before()) ::prlimit(child, RLIMIT_NOFILE, &*before(), nullptr);
}

}  // namespace tenkai
