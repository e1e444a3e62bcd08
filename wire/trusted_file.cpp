#include "wire/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/descriptor.h"
#include "wire/file_refusal.h"

namespace tenkai {
namespace {

std::string longer_than(std::size_t limit) {
  return "is longer than " + std::to_string(limit) +
         " bytes, and was not read; name another file, or shorten it";
}

std::optional<std::string> complaint_about(const struct stat& file, const std::string& path,
                                           std::size_t limit) {
  if (!S_ISREG(file.st_mode))
    return "is no regular file; name a file, or remove it: ls -ld " + path_word(path);
  if (!is_trusted_owner(file.st_uid)) {
    return "belongs to user " + std::to_string(file.st_uid) +
           ", who could have any command run as you; if you trust what is in it, copy it to a file of your "
           "own";
  }
  if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "can be changed by others, who could have any command run as you; look at it, then: chmod go-w " +
           path_word(path);
  }
  if (file.st_size > static_cast<off_t>(limit)) return longer_than(limit);
  return std::nullopt;
}

Result<std::string> read_all(const Descriptor& file, std::size_t size, std::size_t limit) {
  std::string text(size + 1, '\0');
  std::size_t have = 0;
  while (true) {
    ssize_t more = ::read(file.get(), text.data() + have, text.size() - have);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return Error{"cannot be read: " + reason(errno)};
    have += static_cast<std::size_t>(more);
    if (have > limit) return Error{longer_than(limit)};
    if (more == 0) break;
    if (have == text.size()) text.resize(text.size() * 2);
  }
  text.resize(have);
  return text;
}

}  // namespace

Result<std::optional<TrustedFile>> read_trusted_file(const std::string& path, std::size_t limit) {
  if (path.find('\0') != path.npos) return Error{"has a NUL in its name; give another path"};
  // Without O_NONBLOCK a named pipe would hold us here until somebody writes to it.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file && errno == ELOOP) {
    return Error{
        "is a symbolic link, which could lead elsewhere tomorrow; put the file itself there: readlink -f " +
        path_word(path)};
  }
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::optional<TrustedFile>();
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) {
    return Error{"cannot be opened: " + reason(errno) + "; make it readable, or remove it"};
  }
  if (std::optional<std::string> complaint = complaint_about(found, path, limit)) return Error{*complaint};
  Result<std::string> text = read_all(file, static_cast<std::size_t>(found.st_size), limit);
  if (!text) return text.error();
  return std::optional<TrustedFile>(TrustedFile{std::move(*text), found.st_dev, found.st_ino});
}

}  // namespace tenkai
