#include "process/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/error_code.h"

namespace tenkai {
namespace {

// A file that comes in with a payload, of which a read brings one, and is copied and
// closed where they are scarce; a file that is read, the look-up of a name.
constexpr std::size_t for_a_moment = 8;

std::optional<rlimit>& before() {
  static std::optional<rlimit> limit;
  return limit;
}

std::size_t descriptor_limit() {
  rlimit limit{};
  bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
  return known ? static_cast<std::size_t>(limit.rlim_cur) : std::numeric_limits<std::size_t>::max();
}

int as_number(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, std::numeric_limits<int>::max()));
}

std::size_t lasting() {
  std::size_t limit = descriptor_limit();
  return limit - std::min(limit, for_a_moment);
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  before() = limit;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Bytes::end_of_files = end_of_payload_files(descriptor_limit(), 0);
  Descriptor::end_of_lasting = as_number(lasting());
}

void restore_descriptor_limit(pid_t child) {
  if (before()) ::prlimit(child, RLIMIT_NOFILE, &*before(), nullptr);
}

Result<Done> keep_descriptors(std::size_t needed, std::size_t most) {
  Bytes::end_of_files = end_of_payload_files(descriptor_limit(), most);
  if (needed <= lasting()) return Done{};
  return Error{out_of_descriptors(std::to_string(needed) + " descriptors are needed")};
}

int end_of_payload_files(std::size_t limit, std::size_t others) {
  std::size_t rest = limit - std::min(limit, others);
  return as_number(std::min(limit / 2, rest));
}

std::string out_of_descriptors(const std::string& what) {
  return text_of(Code::out_of_files) + ": " + what + ", and this process may have " +
         std::to_string(descriptor_limit()) + " of them; raise the limit (ulimit -n)";
}

}  // namespace tenkai
