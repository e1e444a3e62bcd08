#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/random_hex.h"
#include "launcher/bring/leftovers.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::bring;
namespace fs = std::filesystem;

namespace {

struct Cache {
  Cache() : path(fs::temp_directory_path().string() + "/tenkai-brought-" + random_hex(4)) {
    fs::create_directories(path);
  }
  ~Cache() { fs::remove_all(path); }
  std::string path;
};

}  // namespace

TEST_CASE("what was brought is found by its version, and nothing else is") {
  Cache cache;
  for (const char* name : {"0.2.0/library-1", "0.1.0", "launch-node1-12-abcd", "tmp"})
    fs::create_directories(cache.path + "/" + name);
  std::ofstream(cache.path + "/0.2.0/library-1/a") << "12345";
  std::ofstream(cache.path + "/0.3.0") << "a file";
  fs::create_directory_symlink("/", cache.path + "/0.4.0");

  std::vector<BroughtVersion> versions = brought_versions(cache.path);

  REQUIRE(versions.size() == 2);
  CHECK(versions[0].version == "0.1.0");
  CHECK(versions[1].version == "0.2.0");
  CHECK(versions[1].bytes == 5);
  CHECK_FALSE(versions[1].is_in_use);
  CHECK(brought_versions(cache.path + "/none").empty());
}

TEST_CASE("a version is removed with all that is in it, and not what a link leads to") {
  Cache cache;
  fs::create_directories(cache.path + "/0.1.0/library-1");
  fs::create_directories(cache.path + "/other");
  fs::create_directory_symlink(cache.path + "/other", cache.path + "/0.1.0/library-1/link");

  CHECK(remove(brought_versions(cache.path).front()));

  CHECK(brought_versions(cache.path).empty());
  CHECK(fs::exists(cache.path + "/other"));
}
