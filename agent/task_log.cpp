#include "agent/task_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/descriptor.h"

namespace tenkai {
namespace {

constexpr std::uint64_t max_copied = 64 * 1024 * 1024;

}  // namespace

std::uint64_t size_of_file(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

void copy_end_of_log(const std::string& log, std::uint64_t begin, const std::string& to) {
  std::uint64_t end = std::min(size_of_file(log), begin + max_copied);
  if (end <= begin) return;
  Descriptor from(::open(log.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  Descriptor into(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!from || !into) return;
  char piece[65536];
  while (begin < end) {
    std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof piece, end - begin));
    ssize_t size = ::pread(from.get(), piece, wanted, static_cast<off_t>(begin));
    if (size <= 0 || ::write(into.get(), piece, static_cast<std::size_t>(size)) != size) return;
    begin += static_cast<std::uint64_t>(size);
  }
}

}  // namespace tenkai
