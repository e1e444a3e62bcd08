#include "launcher/profile/search.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.h"
#include "tests/wire/temporary_folder.h"

using namespace tenkai;

namespace {

void write_file(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
}

std::string in_all(const std::string& value) { return "profiles: {p: {slurm: {account: " + value + "}}}\n"; }

// The one problem of reading one file, which took no time worth a word.
std::string refusal_of(const std::string& path) {
  auto start = std::chrono::steady_clock::now();
  std::clock_t worked = std::clock();
  Problems problems;
  CHECK(read_profile_files({{path, false, true}}, problems).size() <= 1);
  // On a busy machine 100 ms of work are more on the clock; waiting would be for ever.
  CHECK(std::clock() - worked < CLOCKS_PER_SEC / 10);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  REQUIRE(problems.size() == 1);
  std::string told = to_string(problems.front());
  INFO(told);
  CHECK(told.rfind(path + ":", 0) == 0);
  return told.substr(path.size() + 1);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("files are searched from the installation to TENKAI_CONFIG, and the last one wins") {
  TemporaryFolder folder;
  SearchPlaces places{folder / "bin/tenkai", folder / "site", folder / "home", folder / "here",
                      folder / "b.yaml" + "::" + folder / "a.yaml"};
  std::vector<std::string> order = {"share/tenkai/etc/tenkai.yaml",
                                    "site/10.yaml",
                                    "site/20.yaml",
                                    "home/.config/tenkai/tenkai.yaml",
                                    "here/tenkai.yaml",
                                    "b.yaml",
                                    "a.yaml"};
  for (const std::string& path : order) write_file(folder / path, in_all(path));
  write_file(folder / "site/30.yaml.bak", "no: yaml");
  write_file(folder / "site/.40.yaml", "no: yaml");

  for (; !order.empty(); order.pop_back()) {
    Problems problems;
    std::vector<ProfileFile> files = read_profile_files(files_to_search(places, problems), problems);
    Profiles profiles = resolve_profiles(files, problems);

    CHECK(files.size() == order.size());
    CHECK(profiles.all.at("p").text("slurm.account") == order.back());
    std::filesystem::remove(folder / order.back());
  }
}

TEST_CASE("a checkout has its file beside the build folder") {
  SearchPlaces places{"/home/anna/tenkai/build/bin/tenkai", "/nowhere", "", ".", ""};
  Problems problems;

  std::vector<SearchedFile> files = files_to_search(places, problems);

  REQUIRE(files.size() == 2);
  CHECK(files[0].path == "/home/anna/tenkai/etc/tenkai.yaml");
  CHECK(files[0].is_site);
  CHECK_FALSE(files[1].is_site);
}

TEST_CASE("a site's folder that cannot be read is told, as its locks would not hold") {
  TemporaryFolder folder;
  write_file(folder / "site", "no folder");
  SearchPlaces places{"", folder / "site", "", ".", ""};
  Problems problems;

  files_to_search(places, problems);

  REQUIRE(problems.size() == 1);
  CHECK(contains(problems[0].message, "the folder of the site's files cannot be read: Not a directory"));
}

TEST_CASE("a site's file that is found again is not a user's") {
  TemporaryFolder folder;
  write_file(folder / "tenkai.yaml", "caps: {daemons: 1}\n");
  Problems problems;

  auto files = read_profile_files(
      {{folder / "tenkai.yaml", true, false}, {folder / "./tenkai.yaml", false, false}}, problems);

  CHECK(files.size() == 1);
  CHECK(problems.empty());
}

TEST_CASE("files that others could have written are refused at once, with the remedy") {
  TemporaryFolder folder;
  std::string path = folder / "tenkai.yaml";
  write_file(path, in_all("x"));
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  CHECK(contains(refusal_of(path), "1:1: the file can be changed by others"));
  CHECK(contains(refusal_of(path), "chmod go-w " + path));
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  REQUIRE(::symlink("tenkai.yaml", (folder / "link").c_str()) == 0);
  CHECK(contains(refusal_of(folder / "link"), "1:1: the file is a symbolic link"));
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(refusal_of(folder / "pipe"), "1:1: the file is no regular file"));
  CHECK(contains(refusal_of(folder / "missing"), "1:1: there is no such file"));
  if (::geteuid() != 0) return;
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  CHECK(contains(refusal_of(path), "1:1: the file belongs to user 65534"));
}

TEST_CASE("files that are meant to harm are refused at once, where they do it") {
  TemporaryFolder folder;
  auto refusal_of_text = [&](const std::string& text) {
    write_file(folder / "tenkai.yaml", text);
    return refusal_of(folder / "tenkai.yaml");
  };

  CHECK(contains(refusal_of_text("a: &a [x]\nb: &b [*a,*a,*a]\n"), "1:4: anchors"));
  CHECK(contains(refusal_of_text(std::string(5000, '[')), "1:1: "));
  CHECK(contains(refusal_of_text("profiles: !expr system('touch /tmp/x')\n"), "1:11: tags"));
  CHECK(contains(refusal_of_text("profiles:\nprofiles:\n"), "2:1: the key 'profiles' stands in line 1"));
  CHECK(contains(refusal_of_text(std::string("profiles: {\0}", 13)), "1:12: here is a byte"));
  CHECK(contains(refusal_of_text("profiles: \xff\n"), "1:11: here is a byte"));
  write_file(folder / "tenkai.yaml", "a: ");
  REQUIRE(::truncate((folder / "tenkai.yaml").c_str(), 100'000'000) == 0);
  CHECK(contains(refusal_of(folder / "tenkai.yaml"),
                 "1:1: the file is longer than 1048576 bytes, and was not read"));
}
