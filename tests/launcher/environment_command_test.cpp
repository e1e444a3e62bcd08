#include "launcher/plugin/environment_command.h"

#include <cstdio>
#include <map>
#include <utility>

#include "launcher/template/shell.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

using Words = std::vector<std::string>;

// What the command writes when it is run by a shell, as a plugin would.
std::string output_of(const Words& command) {
  FILE* pipe = ::popen((shell_command(command) + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  char piece[256];
  while (std::size_t size = std::fread(piece, 1, sizeof piece, pipe)) text.append(piece, size);
  ::pclose(pipe);
  return text;
}

LaunchRequest with(std::map<std::string, Words> options) {
  LaunchRequest request;
  request.options = std::move(options);
  return request;
}

}  // namespace

TEST_CASE("a command stays as it is where no environment is asked for") {
  Words command = {"Rscript", "-e", "x"};
  CHECK(*in_environment(command, with({{"remote", {"ssh://a"}}})) == command);
  CHECK(*in_environment(command, with({{"environment.rscript", {"R"}}})) == command);
}

TEST_CASE("a command runs in the environment that is asked for, its words intact") {
  LaunchRequest request = with({{"environment.variables.COLOUR", {"it's $red"}},
                                {"environment.prologue", {"SIZE=large\nexport SIZE"}},
                                {"threads", {"3"}}});
  Words command = {"sh", "-c", "echo \"$COLOUR $SIZE $OMP_NUM_THREADS $1\"", "x", "'a  b' $(id)"};
  Result<Words> all = in_environment(command, request);
  REQUIRE(all);
  CHECK(output_of(*all) == "it's $red large 3 'a  b' $(id)\n");
}

TEST_CASE("what cannot be set up is said, and the command is not run") {
  LaunchRequest request = with({{"environment.modules", {"no/such"}}});
  Result<Words> all = in_environment({"sh", "-c", "echo ran"}, request);
  REQUIRE(all);
  std::string said = output_of(*all);
  CHECK(said.find("no/such") != std::string::npos);
  CHECK(said.find("ran\n") == std::string::npos);
}
