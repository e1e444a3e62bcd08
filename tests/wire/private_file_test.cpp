#include "wire/private_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>
#include <utility>

#include "base/descriptor.h"
#include "tests/catch.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;
using namespace std::string_literals;

namespace {

constexpr uid_t somebody = 65534;

void write_file(const std::string& path, std::string_view text, mode_t mode = 0600) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  REQUIRE(file);
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(::fchmod(file.get(), mode) == 0);
}

void make_folder(const std::string& path, mode_t mode = 0700) {
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string refusal_of(const std::string& path) {
  Result<std::string> text = read_private_file(path);
  return text ? "" : text.error().message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t count_files(const TemporaryFolder& folder) {
  auto begin = std::filesystem::directory_iterator(folder.path());
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

// Another umask or current folder until the end of the block.
class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

class CurrentFolder {
 public:
  explicit CurrentFolder(const std::string& path) { std::filesystem::current_path(path); }
  ~CurrentFolder() { std::filesystem::current_path(before_); }
  CurrentFolder(const CurrentFolder&) = delete;
  CurrentFolder& operator=(const CurrentFolder&) = delete;

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
};

}  // namespace

TEST_CASE("a private file is read whole") {
  TemporaryFolder folder;
  write_file(folder / "secret", "line\nand\0 another\n"s);
  write_file(folder / "only_readable", "text", 0400);
  write_file(folder / "empty", "");
  write_file(folder / "largest", std::string(max_private_file, 'x'));

  Result<std::string> text = read_private_file(folder / "secret");

  REQUIRE(text.has_value());
  CHECK(*text == "line\nand\0 another\n"s);
  CHECK(refusal_of(folder / "only_readable").empty());
  CHECK(refusal_of(folder / "empty").empty());
  CHECK(refusal_of(folder / "largest").empty());
}

TEST_CASE("a file that others can use is refused, with the command that mends it") {
  TemporaryFolder folder;
  for (mode_t mode : {0644, 0640, 0620, 0610, 0604, 0602, 0601}) {
    std::string path = folder / ("it's " + std::to_string(mode));
    write_file(path, "text", mode);

    std::string refusal = refusal_of(path);

    INFO(refusal);
    CHECK(contains(refusal, path + " can be used by others; chmod 600 "));
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    CHECK(refusal_of(path).empty());
  }
}

TEST_CASE("a file of somebody else is refused") {
  if (::geteuid() != 0) return;
  TemporaryFolder folder;
  write_file(folder / "secret", "text");
  REQUIRE(::chown((folder / "secret").c_str(), somebody, somebody) == 0);

  CHECK(contains(refusal_of(folder / "secret"), "belongs to user 65534"));
}

TEST_CASE("a symbolic link is not followed to a private file") {
  TemporaryFolder folder;
  write_file(folder / "secret", "text");
  REQUIRE(::symlink("secret", (folder / "link").c_str()) == 0);
  REQUIRE(::symlink("nowhere", (folder / "dangling").c_str()) == 0);

  CHECK(contains(refusal_of(folder / "link"), "is a symbolic link"));
  CHECK(contains(refusal_of(folder / "dangling"), "is a symbolic link"));
}

TEST_CASE("a file with two names is refused") {
  TemporaryFolder folder;
  write_file(folder / "secret", "text");
  REQUIRE(::link((folder / "secret").c_str(), (folder / "other").c_str()) == 0);

  CHECK(contains(refusal_of(folder / "secret"), "hard link"));
}

TEST_CASE("what is no regular file is refused at once") {
  TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  make_folder(folder / "folder");
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string name = folder / "socket";
  REQUIRE(name.size() < sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);

  CHECK(contains(refusal_of(folder / "pipe"), "no regular file"));
  CHECK(contains(refusal_of(folder / "folder"), "no regular file"));
  CHECK_FALSE(refusal_of(name).empty());
  CHECK_FALSE(refusal_of("/dev/null").empty());
  CHECK_FALSE(refusal_of("/dev/zero").empty());
}

TEST_CASE("a file that is missing, too large, or has no name is refused") {
  TemporaryFolder folder;
  write_file(folder / "large", std::string(max_private_file + 1, 'x'));

  CHECK(contains(refusal_of(folder / "missing"), "No such file"));
  CHECK(contains(refusal_of(folder / "missing/secret"), folder / "missing cannot be used: No such file"));
  CHECK(contains(refusal_of(folder / "large/secret"), "Not a directory"));
  CHECK(contains(refusal_of(folder / "large"), "longer than 65536 bytes"));
  for (const std::string& path : {""s, "."s, ".."s, "/"s, folder / "", folder / ".", "a\0b"s}) {
    INFO(path);
    CHECK(contains(refusal_of(path), "names no file"));
  }
}

TEST_CASE("a folder that others can write to is refused, wherever it is on the way") {
  TemporaryFolder folder;
  make_folder(folder / "a");
  make_folder(folder / "a/b");
  write_file(folder / "a/b/secret", "text");
  REQUIRE(refusal_of(folder / "a/b/secret").empty());

  for (mode_t mode : {0770, 0720, 0702, 0777}) {
    for (std::string part : {"a", "a/b"}) {
      REQUIRE(::chmod((folder / part).c_str(), mode) == 0);

      std::string refusal = refusal_of(folder / "a/b/secret");

      INFO(refusal);
      CHECK(contains(refusal, folder / part + " can be written to by others"));
      CHECK(contains(refusal, "chmod go-w " + folder / part));
      REQUIRE(::chmod((folder / part).c_str(), 0755) == 0);
    }
  }
  CHECK(refusal_of(folder / "a/b/secret").empty());
}

TEST_CASE("a folder with the sticky bit may be written to by others") {
  TemporaryFolder folder;
  make_folder(folder / "tmp", 01777);
  make_folder(folder / "tmp/ours");
  write_file(folder / "tmp/ours/secret", "text");
  write_file(folder / "tmp/secret", "text");

  CHECK(refusal_of(folder / "tmp/ours/secret").empty());
  CHECK(refusal_of(folder / "tmp/secret").empty());
}

TEST_CASE("a folder of somebody else is refused, sticky or not") {
  if (::geteuid() != 0) return;
  TemporaryFolder folder;
  for (mode_t mode : {0755, 01777}) {
    std::string theirs = folder / ("theirs" + std::to_string(mode));
    make_folder(theirs, mode);
    write_file(theirs + "/secret", "text");
    REQUIRE(::chown(theirs.c_str(), somebody, somebody) == 0);

    CHECK(contains(refusal_of(theirs + "/secret"), theirs + " belongs to user 65534"));
  }
}

TEST_CASE("a path may lead through links of ours, and every folder behind them is looked at") {
  TemporaryFolder folder;
  make_folder(folder / "a");
  make_folder(folder / "a/b");
  write_file(folder / "a/b/secret", "text");
  REQUIRE(::symlink("a/./b", (folder / "relative").c_str()) == 0);
  REQUIRE(::symlink((folder / "a").c_str(), (folder / "absolute").c_str()) == 0);
  REQUIRE(::symlink("../relative/..//../relative", (folder / "a/winding").c_str()) == 0);
  REQUIRE(::symlink("loop", (folder / "loop").c_str()) == 0);

  CHECK(refusal_of(folder / "relative/secret").empty());
  CHECK(refusal_of(folder / "absolute/b/secret").empty());
  CHECK(refusal_of(folder / "a/winding/secret").empty());
  CHECK(refusal_of(folder / "a/../a//./b/secret").empty());
  CHECK(contains(refusal_of(folder / "loop/secret"), "Too many levels"));
  REQUIRE(::chmod((folder / "a").c_str(), 0777) == 0);
  for (std::string path :
       {"relative/secret", "absolute/b/secret", "a/winding/secret", "a/../relative/secret"}) {
    INFO(path);
    CHECK(contains(refusal_of(folder / path), folder / "a can be written to by others"));
  }
}

TEST_CASE("a path may not lead through a link of somebody else") {
  if (::geteuid() != 0) return;
  TemporaryFolder folder;
  make_folder(folder / "tmp", 01777);
  make_folder(folder / "a");
  write_file(folder / "a/secret", "text");
  REQUIRE(::symlink("../a", (folder / "tmp/link").c_str()) == 0);
  REQUIRE(refusal_of(folder / "tmp/link/secret").empty());
  REQUIRE(::lchown((folder / "tmp/link").c_str(), somebody, somebody) == 0);

  CHECK(contains(refusal_of(folder / "tmp/link/secret"), "is a symbolic link of user 65534"));
}

TEST_CASE("a path may begin where we are") {
  TemporaryFolder folder;
  make_folder(folder / "a");
  CurrentFolder here(folder.path());

  REQUIRE(write_private_file("a/secret", "text").has_value());
  REQUIRE(write_private_file("secret", "text").has_value());

  CHECK(refusal_of("a/secret").empty());
  CHECK(refusal_of("./a/../secret").empty());
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  CHECK(contains(refusal_of("a/secret"), "can be written to by others"));
}

TEST_CASE("what is written privately can be read, by us alone, whatever the umask") {
  TemporaryFolder folder;
  for (mode_t mask : {0, 022, 0777}) {
    Umask umask(mask);
    std::string path = folder / ("secret" + std::to_string(mask));

    REQUIRE(write_private_file(path, "text").has_value());

    struct stat file {};
    REQUIRE(::lstat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 07777) == 0600);
    CHECK(file.st_nlink == 1);
    Result<std::string> text = read_private_file(path);
    REQUIRE(text.has_value());
    CHECK(*text == "text");
  }
  CHECK(count_files(folder) == 3);
}

TEST_CASE("a file that exists is not overwritten, and nothing is left behind") {
  TemporaryFolder folder;
  REQUIRE(write_private_file(folder / "secret", "first").has_value());
  REQUIRE(::symlink("nowhere", (folder / "link").c_str()) == 0);

  Result<Done> again = write_private_file(folder / "secret", "second");

  REQUIRE_FALSE(again.has_value());
  CHECK(contains(again.error().message, "exists already"));
  CHECK(*read_private_file(folder / "secret") == "first");
  CHECK_FALSE(write_private_file(folder / "link", "text").has_value());
  CHECK(count_files(folder) == 2);
}

TEST_CASE("nothing is written where it could not be read again") {
  TemporaryFolder folder;
  make_folder(folder / "shared", 0770);

  CHECK_FALSE(write_private_file(folder / "shared/secret", "text").has_value());
  CHECK_FALSE(write_private_file(folder / "missing/secret", "text").has_value());
  CHECK_FALSE(write_private_file(folder / "large", std::string(max_private_file + 1, 'x')).has_value());
  CHECK_FALSE(write_private_file(folder / "", "text").has_value());
  CHECK(count_files(folder) == 1);
  CHECK(std::filesystem::is_empty(folder / "shared"));
}

TEST_CASE("the text of a private file is in no message") {
  TemporaryFolder folder;
  write_file(folder / "open", "do not show this", 0644);

  CHECK_FALSE(contains(refusal_of(folder / "open"), "do not"));
}
