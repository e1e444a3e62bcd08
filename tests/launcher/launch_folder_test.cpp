#include "launcher/plugin/launch_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "tests/catch.h"

using namespace tenkai;

namespace {

// A cache of its own for one test.
struct Cache {
  Cache() {
    char name[] = "/tmp/tenkai-cache-XXXXXX";
    path = ::mkdtemp(name);
    ::setenv("XDG_CACHE_HOME", path.c_str(), 1);
  }
  ~Cache() {
    ::unsetenv("XDG_CACHE_HOME");
    (void)std::system(("rm -rf " + path).c_str());
  }
  std::string path;
};

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

TEST_CASE("a launch folder is ours alone, and goes with what is in it") {
  Cache cache;

  Result<std::string> folder = make_launch_folder();

  REQUIRE(folder);
  struct stat found {};
  REQUIRE(::stat(folder->c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  std::ofstream(*folder + "/1") << "secret";
  remove_launch_folder(*folder);
  CHECK_FALSE(is_there(*folder));
}

TEST_CASE("a launch folder goes while a job that is being ended still writes to it") {
  Cache cache;
  // The moment in which it matters is short.
  for (int round = 0; round < 20; ++round) {
    Result<std::string> folder = make_launch_folder();
    REQUIRE(folder);
    std::atomic<int> written{0};
    std::thread job([&written, path = *folder + "/logs/"] {
      for (; written < 2'000; ++written) {
        int file = ::open((path + std::to_string(written)).c_str(), O_CREAT | O_WRONLY, 0600);
        if (file < 0) return;
        ::close(file);
      }
    });

    while (written < 50) std::this_thread::yield();
    remove_launch_folder(*folder);

    job.join();
    CHECK_FALSE(is_there(*folder));
  }
}

TEST_CASE("what a process has left that was killed is removed by the next one") {
  Cache cache;
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  pid_t child = ::fork();
  if (child == 0) {
    Result<std::string> folder = make_launch_folder();
    std::string name = folder ? *folder : "";
    std::ofstream(name + "/1") << "secret";
    (void)!::write(pipe[1], name.data(), name.size());
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  char name[4096] = "";
  REQUIRE(::read(pipe[0], name, sizeof name - 1) > 0);
  REQUIRE(is_there(name));

  Result<std::string> living = make_launch_folder();
  Result<std::string> another = make_launch_folder();

  CHECK_FALSE(is_there(name));
  CHECK(is_there(*living));
  CHECK(is_there(*another));
}

TEST_CASE("without a place the folder is an error that says so") {
  Cache cache;
  ::setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);

  Result<std::string> folder = make_launch_folder();

  REQUIRE_FALSE(folder);
  CHECK(folder.error().message.find("cannot make the folder /proc/nowhere") == 0);
}

TEST_CASE("a place that others can change, or whose path no command can hold, is refused") {
  Cache cache;
  std::string parent = cache.path + "/tenkai";
  REQUIRE(::mkdir(parent.c_str(), 0700) == 0);
  REQUIRE(::chmod(parent.c_str(), 0777) == 0);

  Result<std::string> folder = make_launch_folder();

  REQUIRE_FALSE(folder);
  CHECK(folder.error().message.find(parent + " can be changed by others; set XDG_CACHE_HOME") !=
        std::string::npos);

  std::string odd = cache.path + "/it's";
  REQUIRE(::mkdir(odd.c_str(), 0700) == 0);
  ::setenv("XDG_CACHE_HOME", odd.c_str(), 1);
  CHECK_FALSE(make_launch_folder());
  // A link to where there is more room is common.
  ::setenv("XDG_CACHE_HOME", cache.path.c_str(), 1);
  REQUIRE(::mkdir((cache.path + "/room").c_str(), 0700) == 0);
  REQUIRE(::rmdir(parent.c_str()) == 0);
  REQUIRE(::symlink((cache.path + "/room").c_str(), parent.c_str()) == 0);
  CHECK(make_launch_folder());
}
