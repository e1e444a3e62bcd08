#include "wire/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/random_hex.h"
#include "base/text.h"
#include "wire/file_refusal.h"
#include "wire/secret.h"

namespace tenkai {

namespace {

constexpr int max_links = 40;  // as the kernel

std::optional<Error> complaint_about_folder(const struct stat& folder, const std::string& path) {
  const std::string elsewhere = "keep the file in a folder of your own, below your home";
  if (!is_trusted_owner(folder.st_uid)) {
    return refuse_file(
        path, "belongs to user " + std::to_string(folder.st_uid) + ", who could exchange what is in it",
        elsewhere);
  }
  if ((folder.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (folder.st_mode & S_ISVTX) != 0) return std::nullopt;
  std::string mend = folder.st_uid == ::geteuid() ? "chmod go-w " + path_word(path) : elsewhere;
  return refuse_file(path, "can be written to by others, who could exchange what is in it", mend);
}

std::optional<Error> complaint_about_file(const struct stat& file, const std::string& path) {
  if (!S_ISREG(file.st_mode))
    return refuse_file(path, "is no regular file", "name the file that holds the secret");
  if (file.st_uid != ::geteuid()) {
    return refuse_file(path, "belongs to user " + std::to_string(file.st_uid) + ", who knows what is in it",
                       "have the secret made anew, in a file of your own");
  }
  if ((file.st_mode & 077) != 0) {
    return refuse_file(
        path, "can be used by others",
        "chmod 600 " + path_word(path) + ", and if they had the time to read it, have the secret made anew");
  }
  if (file.st_nlink != 1) {
    return refuse_file(path, "has another name somewhere (it is a hard link)",
                       "cp " + path_word(path) + " " + path_word(path + ".own") + " and use that one");
  }
  if (file.st_size > static_cast<off_t>(max_private_file)) {
    return refuse_file(
        path, "is longer than " + std::to_string(max_private_file) + " bytes, so it is something else",
        "name the file that holds the secret");
  }
  return std::nullopt;
}

// A folder that is held open, and what remains of a path behind it.
struct Place {
  Descriptor folder;
  std::string name;  // of the file, without the folder
};

// Goes through a path as the kernel would, and looks at every step.
class Walk {
 public:
  // The folder that the file is in, where every step to it can be trusted.
  static Result<Place> to(const std::string& path) {
    std::string::size_type slash = path.rfind('/');
    Place place;
    place.name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    bool names_a_file = !place.name.empty() && place.name != "." && place.name != "..";
    if (!names_a_file || path.find('\0') != std::string::npos) {
      return Error{"\"" + shown_path(path) + "\" names no file; give the path of one"};
    }
    Result<Descriptor> folder = Walk().go(slash == std::string::npos ? "" : path.substr(0, slash + 1));
    if (!folder) return folder.error();
    place.folder = std::move(*folder);
    return place;
  }

 private:
  Result<Descriptor> go(std::string path) {
    if (!path.starts_with('/')) {
      char current[PATH_MAX];
      if (::getcwd(current, sizeof current) == nullptr) return refuse_file(".", errno);
      path = std::string(current) + "/" + path;
    }
    if (std::optional<Error> complaint = start_at_root()) return *complaint;
    put_before(path);
    while (!names_.empty()) {
      std::string name = std::move(names_.front());
      names_.pop_front();
      if (std::optional<Error> complaint = step(name)) return *complaint;
    }
    return std::move(here_);
  }

  void put_before(std::string_view path) {
    std::vector<std::string_view> names = split(path, '/');
    for (std::size_t i = names.size(); i-- > 0;) {
      if (!names[i].empty() && names[i] != ".") names_.emplace_front(names[i]);
    }
  }

  std::optional<Error> start_at_root() {
    here_ = Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    walked_.clear();
    struct stat root {};
    if (!here_ || ::fstat(here_.get(), &root) != 0) return refuse_file("/", errno);
    return complaint_about_folder(root, "/");
  }

  std::optional<Error> step(const std::string& name) {
    std::string path = walked_ + "/" + name;
    Descriptor next(::openat(here_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (!next || ::fstat(next.get(), &found) != 0) return refuse_file(path, errno);
    if (S_ISLNK(found.st_mode)) return follow(next, found, path);
    if (!S_ISDIR(found.st_mode)) return refuse_file(path, ENOTDIR);
    here_ = std::move(next);
    walked_ = name == ".." ? walked_.substr(0, walked_.rfind('/') + 1) : path;
    while (walked_.ends_with('/')) walked_.pop_back();
    return complaint_about_folder(found, walked_.empty() ? "/" : walked_);
  }

  std::optional<Error> follow(const Descriptor& link, const struct stat& found, const std::string& path) {
    if (++links_ > max_links) return refuse_file(path, ELOOP);
    if (!is_trusted_owner(found.st_uid)) {
      return refuse_file(
          path,
          "is a symbolic link of user " + std::to_string(found.st_uid) + ", who could let it lead elsewhere",
          "give a path without it");
    }
    char target[PATH_MAX];
    ssize_t size = ::readlinkat(link.get(), "", target, sizeof target);
    if (size <= 0) return refuse_file(path, size == 0 ? ENOENT : errno);
    std::string_view to(target, static_cast<std::size_t>(size));
    put_before(to);
    return to.starts_with('/') ? start_at_root() : std::nullopt;
  }

  Descriptor here_;
  std::string walked_;             // the path of here_, empty for the root
  std::deque<std::string> names_;  // what is still to go
  int links_ = 0;
};

Result<std::string> read_all(const Descriptor& file, const std::string& path) {
  SecretText text(max_private_file + 1);
  text.text.resize(max_private_file + 1);
  std::size_t size = 0;
  while (size < text.text.size()) {
    ssize_t more = ::read(file.get(), text.text.data() + size, text.text.size() - size);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) return refuse_file(path, errno);
    if (more == 0) return text.text.substr(0, size);
    size += static_cast<std::size_t>(more);
  }
  return refuse_file(path, "grows while it is read", "name the file that holds the secret");
}

// The error number, or 0. Closing tells what a file server could not keep.
int write_all(Descriptor file, std::string_view text) {
  // The umask may have taken from the mode, an owner of the folder added to it.
  if (::fchmod(file.get(), 0600) != 0) return errno;
  while (!text.empty()) {
    ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::close(file.release()) == 0 || errno == EINTR ? 0 : errno;
}

// Gives the file its name if nothing has it yet. Returns the error number, or 0.
int rename_new(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // NFS has no such renaming, but hard links, which replace nothing either.
  if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) return errno;
  return ::unlinkat(folder, from.c_str(), 0) == 0 ? 0 : errno;
}

}  // namespace

Result<std::string> read_private_file(const std::string& path) {
  Result<Place> place = Walk::to(path);
  if (!place) return place.error();
  // Without O_NONBLOCK a named pipe would hold us here until somebody writes to it.
  Descriptor file(::openat(place->folder.get(), place->name.c_str(),
                           O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file && errno == ELOOP) {
    return refuse_file(path, "is a symbolic link",
                       "give the path of the file itself: readlink -f " + path_word(path));
  }
  struct stat found {};
  if (!file || ::fstat(file.get(), &found) != 0) return refuse_file(path, errno);
  if (std::optional<Error> complaint = complaint_about_file(found, path)) return *complaint;
  return read_all(file, path);
}

Result<Done> write_private_file(const std::string& path, std::string_view text) {
  if (text.size() > max_private_file) {
    return refuse_file(path, "was to hold " + std::to_string(text.size()) + " bytes",
                       "no more than " + std::to_string(max_private_file) + " would be read again");
  }
  Result<Place> place = Walk::to(path);
  if (!place) return place.error();
  int folder = place->folder.get();
  std::string temporary = ".tenkai-" + random_hex(8);
  Descriptor file(
      ::openat(folder, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return refuse_file(path, errno);
  int failed = write_all(std::move(file), text);
  if (failed == 0) failed = rename_new(folder, temporary, place->name);
  if (failed == 0) return Done{};
  (void)::unlinkat(folder, temporary.c_str(), 0);
  if (failed != EEXIST) return refuse_file(path, failed);
  return refuse_file(path, "exists already", "name another file, or remove it first: rm " + path_word(path));
}

}  // namespace tenkai
