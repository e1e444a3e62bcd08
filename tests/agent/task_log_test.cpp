#include "agent/task_log.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/catch.h"

using namespace tenkai;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/tenkai-log-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::app) << text; }

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("a task's log is what has been written since it began") {
  Folder folder;
  write(folder / "log", "before\n");
  std::uint64_t begin = size_of_file(folder / "log");
  write(folder / "log", "of the task\n");

  copy_end_of_log(folder / "log", begin, folder / "task");

  CHECK(text_of(folder / "task") == "of the task\n");
  struct stat found {};
  REQUIRE(::stat((folder / "task").c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("a task that writes nothing has no log, and no link is followed") {
  Folder folder;
  write(folder / "log", "before\n");
  copy_end_of_log(folder / "log", size_of_file(folder / "log"), folder / "task");
  CHECK_FALSE(fs::exists(folder / "task"));

  write(folder / "other", "mine\n");
  fs::create_symlink(folder / "other", folder / "task");
  copy_end_of_log(folder / "log", 0, folder / "task");
  CHECK(text_of(folder / "other") == "mine\n");
  copy_end_of_log(folder / "nothing", 0, folder / "new");
  CHECK_FALSE(fs::exists(folder / "new"));
}
