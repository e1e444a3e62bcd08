#include "process/find_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "base/descriptor.h"
#include "base/text.h"

namespace tenkai {
namespace {

// Whether the file holds `text` and nothing more.
bool holds_just(const std::string& path, const std::string& text) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::string found(text.size() + 1, '\0');
  ssize_t size = ::read(file.get(), found.data(), found.size());
  return size == static_cast<ssize_t>(text.size()) && found.compare(0, text.size(), text) == 0;
}

bool is_ours(const std::string& folder) {
  struct stat found {};
  return ::stat(folder.c_str(), &found) == 0 && found.st_uid == ::geteuid();
}

std::string one_text(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& word : argv) text += word + '\0';
  return text;
}

}  // namespace

bool is_process(pid_t pid, const std::vector<std::string>& argv) {
  const std::string folder = "/proc/" + std::to_string(pid);
  return is_ours(folder) && ::getpgid(pid) == pid && holds_just(folder + "/cmdline", one_text(argv));
}

std::optional<pid_t> find_process(const std::vector<std::string>& argv) {
  std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  if (!processes) return std::nullopt;
  while (const dirent* entry = ::readdir(processes.get())) {
    std::optional<pid_t> pid = to_number<pid_t>(entry->d_name);
    if (pid && *pid > 1 && is_process(*pid, argv)) return pid;
  }
  return std::nullopt;
}

}  // namespace tenkai
