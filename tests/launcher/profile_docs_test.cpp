#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "launcher/profile/keys.h"
#include "launcher/profile/value.h"
#include "launcher/template/launch_keys.h"
#include "tests/catch.h"
#include "tests/launcher/profile_files.h"

using namespace tenkai;

namespace {

const std::filesystem::path checkout = std::filesystem::path(TENKAI_TEST_DATA) / ".." / "..";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("docs/profiles.md shows the keys that there are") {
  // If this fails: put what `tenkai profile keys --markdown` prints at its end.
  std::string document = text_of(checkout / "docs" / "profiles.md");

  std::string keys = keys_as_markdown();
  CHECK(document.size() > keys.size());
  CHECK(document.ends_with("\n" + keys));
}

TEST_CASE("every key has an explanation, and an example and a default of its type") {
  for (ProfileKeys keys : {profile_keys(), cap_keys()}) {
    for (const ProfileKey& key : keys) {
      INFO(key.path);
      CHECK_FALSE(key.explanation.empty());
      std::string example(key.example);
      REQUIRE_FALSE(example.empty());
      if (!is_list(key.type)) CHECK_FALSE(complaint_about(key, example));
      if (!key.otherwise.empty()) CHECK_FALSE(complaint_about(key, key.otherwise));
      CHECK(find_key(keys, key.path.ends_with("*") ? "environment.variables.A_1" : key.path) == &key);
    }
  }
}

TEST_CASE("the example of a site's file and the sample profiles are right") {
  CHECK(problem_of(text_of(checkout / "etc" / "tenkai.yaml.example"), true).empty());
  int samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(checkout / "etc" / "profiles")) {
    INFO(entry.path());
    CHECK(problem_of(text_of(entry.path())).empty());
    ++samples;
  }
  CHECK(samples == 4);
}

TEST_CASE("docs/templates.md shows the keys of a launch") {
  std::string document = text_of(checkout / "docs" / "templates.md");
  for (const ProfileKey& key : launch_keys()) {
    INFO(key.path);
    CHECK(document.find("| `" + std::string(key.path) + "` |") != document.npos);
    CHECK(document.find(key.explanation) != document.npos);
  }
}
