#include "plugins/slurm/job_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/descriptor.h"
#include "base/text.h"
#include "process/log_tail.h"

namespace tenkai::slurm {
namespace {

constexpr std::size_t max_status_file = std::size_t{64} * 1024;

// The end of a file, at most `limit` bytes; nothing where there is none. What stands
// there is no pipe and no link: it would make us wait, or read what others chose.
std::string end_of_file(const std::string& path, std::size_t limit) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  auto size = static_cast<std::size_t>(found.st_size);
  off_t at = size > limit ? static_cast<off_t>(size - limit) : 0;
  std::string text(std::min(size, limit), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    ssize_t more =
        ::pread(file.get(), text.data() + filled, text.size() - filled, at + static_cast<off_t>(filled));
    if (more <= 0) break;
    filled += static_cast<std::size_t>(more);
  }
  text.resize(filled);
  return text;
}

// Returns the error number, or 0.
int write_new_file(const std::string& path, std::string_view text) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return errno;
  while (!text.empty()) {
    ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  // A file server may tell only now that it could not keep it.
  return ::close(file.release()) == 0 ? 0 : errno;
}

std::string last_lines(const std::string& path) {
  // One byte more, so that it is seen whether the first line is whole.
  std::string text = end_of_file(path, LogTail::max_size + 1);
  keep_last_lines(text, LogTail::max_size);
  return text;
}

}  // namespace

Result<Done> JobFolder::prepare() const {
  for (const std::string& folder : {path_ + "/scripts", path_ + "/status", logs_}) {
    bool is_there = ::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST;
    // Else the job would end without a word: Slurm cannot open its output.
    bool is_good = is_there && ::access((folder + "/.").c_str(), W_OK | X_OK) == 0;
    if (is_good) continue;
    std::string why = std::strerror(errno);
    return Error{(is_there ? "cannot write into the folder " : "cannot make the folder ") +
                 printable(folder, 500) + " for jobs: " + why +
                 (folder == logs_ && logs_ != path_ + "/logs"
                      ? "; slurm.logs names where logs are to stay, in a folder that is there"
                      : "")};
  }
  return Done{};
}

Result<std::string> JobFolder::write_script(const std::string& name, const std::string& text) const {
  std::string path = script_path(name);
  // A plugin that died before it could submit it may have left one.
  ::unlink(path.c_str());
  int problem = write_new_file(path, text);
  if (problem == 0) return path;
  return Error{"cannot write the job script " + path + ": " + std::strerror(problem)};
}

std::vector<std::string> JobFolder::changed() {
  std::vector<std::string> names;
  std::string folder = path_ + "/status";
  std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get())) {
    struct stat found {};
    if (entry->d_name[0] == '.' ||
        ::fstatat(::dirfd(open.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    Stamp stamp{found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    Stamp& known = seen_[entry->d_name];
    if (known == stamp) continue;
    known = stamp;
    names.emplace_back(entry->d_name);
  }
  return names;
}

StatusFile JobFolder::read(const std::string& name) const {
  return parse_status_file(end_of_file(path_ + "/status/" + name, max_status_file));
}

StatusFile JobFolder::own_status_file(const JobName& job) const {
  return read(job.id + "_" + std::to_string(job.number));
}

StatusFile JobFolder::status_file(const JobName& job) const {
  StatusFile own = own_status_file(job);
  return job.is_rank ? with_job(own, read(job.id)) : own;
}

std::string JobFolder::log(const JobName& job) const {
  std::string base = logs_ + "/" + job.id;
  std::string number = std::to_string(job.number);
  if (!job.is_rank) return last_lines(base + "_" + number + ".log");
  std::string own = last_lines(base + ".log." + number);
  return own.empty() ? last_lines(base + ".log") : own;
}

std::string log_pattern(const std::string& logs, bool has_ranks) {
  if (logs.empty()) return has_ranks ? "tenkai-%j.log" : "tenkai-%A_%a.log";
  std::string pattern;
  for (char c : logs + "/") pattern += c == '%' ? std::string("%%") : std::string(1, c);
  return pattern + (has_ranks ? "%j.log" : "%A_%a.log");
}

}  // namespace tenkai::slurm
