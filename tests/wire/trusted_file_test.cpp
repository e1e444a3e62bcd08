#include "wire/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "tests/catch.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;

namespace {

constexpr std::size_t limit = 1024;

void write_file(const std::string& path, std::string_view text, mode_t mode = 0644) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  REQUIRE(file);
  REQUIRE(::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  REQUIRE(::fchmod(file.get(), mode) == 0);
}

std::string refusal_of(const std::string& path) {
  auto file = read_trusted_file(path, limit);
  return file ? "" : file.error().message;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a trusted file is read whole, and its absence is no error") {
  TemporaryFolder folder;
  write_file(folder / "a", "text\n");
  write_file(folder / "longest", std::string(limit, 'x'), 0400);

  auto file = read_trusted_file(folder / "a", limit);

  REQUIRE(file);
  REQUIRE(file->has_value());
  CHECK((*file)->text == "text\n");
  CHECK(refusal_of(folder / "longest").empty());
  auto missing = read_trusted_file(folder / "a/none", limit);
  REQUIRE(missing);
  CHECK_FALSE(missing->has_value());
}

TEST_CASE("a file that others can change is refused with the remedy") {
  TemporaryFolder folder;
  for (mode_t mode : {0664, 0646, 0666}) {
    std::string path = folder / std::to_string(mode);
    write_file(path, "text", mode);

    CHECK(contains(refusal_of(path), "can be changed by others"));
    CHECK(contains(refusal_of(path), "chmod go-w " + path));
  }
  if (::geteuid() != 0) return;
  write_file(folder / "foreign", "text");
  REQUIRE(::chown((folder / "foreign").c_str(), 65534, 65534) == 0);
  CHECK(contains(refusal_of(folder / "foreign"), "belongs to user 65534"));
}

TEST_CASE("what is not a file itself is refused without waiting for it") {
  TemporaryFolder folder;
  write_file(folder / "a", "text");
  REQUIRE(::symlink("a", (folder / "link").c_str()) == 0);
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);

  CHECK(contains(refusal_of(folder / "link"), "is a symbolic link"));
  CHECK(contains(refusal_of(folder / "pipe"), "is no regular file"));
  CHECK(contains(refusal_of(folder.path()), "is no regular file"));
}

TEST_CASE("a file that is too long is not read") {
  TemporaryFolder folder;
  write_file(folder / "long", std::string(limit + 1, 'x'));
  write_file(folder / "sparse", "");
  REQUIRE(::truncate((folder / "sparse").c_str(), off_t{1} << 40) == 0);

  CHECK(contains(refusal_of(folder / "long"), "longer than 1024 bytes"));
  CHECK(contains(refusal_of(folder / "sparse"), "longer than 1024 bytes"));
}
