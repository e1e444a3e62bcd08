#include "process/proc_file.h"

#include <fstream>
#include <iterator>

namespace tenkai {

std::string read_proc_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace tenkai
