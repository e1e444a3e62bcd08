#include "process/own_path.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/path.h"
#include "base/text.h"

namespace tenkai {

std::string own_program() {
  char path[4096];
  ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string("tenkai");
}

std::string helper_folder(const std::string& program) {
  return folder_of(folder_of(program)) + "/libexec/tenkai";
}

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  for (std::string_view folder : split(path == nullptr ? "" : path, ':')) {
    std::string file = std::string(folder.empty() ? "." : folder) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace tenkai
