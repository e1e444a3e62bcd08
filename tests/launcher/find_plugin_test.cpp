#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "launcher/plugin/plugin_process.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

namespace fs = std::filesystem;

struct Prefix {
  Prefix() {
    std::string name = (fs::temp_directory_path() / "tenkai-plugins-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~Prefix() { fs::remove_all(folder); }
  Prefix(const Prefix&) = delete;
  Prefix& operator=(const Prefix&) = delete;

  std::string put(const std::string& path) const {
    fs::path file = fs::path(folder) / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "#!/bin/sh\n";
    fs::permissions(file, fs::perms::owner_all);
    return file.string();
  }

  std::string folder;
};

}  // namespace

TEST_CASE("what an older release has left beside the program does not take the place of our plugins") {
  Prefix prefix;
  std::string self = prefix.put("bin/tenkai");
  prefix.put("libexec/tenkai/tenkai-plugin-ssh");
  std::string other = prefix.put("libexec/tenkai/tenkai-plugin-other");
  std::string mine = prefix.put("mine/tenkai-plugin-ssh");

  using Command = std::vector<std::string>;
  CHECK(*find_plugin("ssh", self, nullptr) == Command{self, "plugin", "ssh"});
  CHECK(*find_plugin("other", self, nullptr) == Command{other});
  CHECK(*find_plugin("ssh", self, (prefix.folder + "/mine").c_str()) == Command{mine});
  CHECK_FALSE(find_plugin("nowhere", self, nullptr));
}
