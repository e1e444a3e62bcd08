#include "process/temporary_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/descriptor.h"

namespace tenkai {
namespace {

// As R does it: the first of these that is a folder which may be written to.
std::string temporary_folder() {
  for (const char* name : {"TMPDIR", "TMP", "TEMP"}) {
    const char* folder = std::getenv(name);
    struct stat found {};
    bool is_folder = folder != nullptr && ::stat(folder, &found) == 0 && S_ISDIR(found.st_mode);
    if (is_folder && ::access(folder, W_OK | X_OK) == 0) return folder;
  }
  return "/tmp";
}

// A file of 4 KiB, which is gone again: 0, or what errno says.
int try_file(const std::string& folder) {
  std::string path = folder + "/tenkai-XXXXXX";
  Descriptor file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) return errno;
  ::unlink(path.c_str());
  std::array<char, 4096> page{};
  ssize_t put = ::write(file.get(), page.data(), page.size());
  if (put < 0) return errno;
  return static_cast<std::size_t>(put) < page.size() ? ENOSPC : 0;
}

}  // namespace

std::string trouble_with_temporary_folder() {
  std::string folder = temporary_folder();
  int error = try_file(folder);
  if (error == 0) return {};
  return "the temporary folder of R, '" + folder + "', takes no file: " + std::strerror(error) +
         "; make room there, or set TMPDIR to another folder";
}

}  // namespace tenkai
