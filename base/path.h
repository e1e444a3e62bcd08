// Paths of files, as text.
#pragma once

#include <unistd.h>

#include <string>

namespace tenkai {

// "/a/b" of "/a/b/c"; empty where there is no '/'.
inline std::string folder_of(const std::string& path) {
  std::size_t slash = path.rfind('/');
  return slash == path.npos ? "" : path.substr(0, slash);
}

inline bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace tenkai
