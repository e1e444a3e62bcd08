#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "plugins/command/command_plugin.h"
#include "tests/catch.h"
#include "tests/launcher/nasty_words.h"

using namespace tenkai;
using namespace tenkai::command;
using test::nasty;
using test::words_read_by;

namespace {

LaunchRequest request(std::vector<std::string> command, const std::string& program,
                      std::vector<std::string> args, bool quote = true) {
  LaunchRequest request;
  request.command = std::move(command);
  if (!program.empty()) request.options["program"] = {program};
  request.options["args"] = std::move(args);
  if (!quote) request.options["quote"] = {"0"};
  return request;
}

std::string line_of(const LaunchRequest& request) {
  Result<std::string> line = command_line(request);
  return line ? *line : line.error().message;
}

}  // namespace

TEST_CASE("the command stands where the point is") {
  CHECK(line_of(request({"Rscript", "-e", "f('x')"}, "ssh", {"-p 22 host", "."})) ==
        "ssh -p 22 host \"Rscript -e \\\"f('x')\\\"\"");
  CHECK(line_of(request({"Rscript", "-e", "f('x')"}, "srun", {"-n 1", "."}, false)) ==
        "srun -n 1 Rscript -e \"f('x')\"");
  CHECK(line_of(request({"Rscript", "-e", "1"}, "", {})) == "Rscript -e 1");
}

TEST_CASE("arguments without a place for the command are refused") {
  CHECK(line_of(request({"a"}, "srun", {"-n1"})).find("'.', the place of the daemon's command") == 0);
}

TEST_CASE("every word arrives through a command and the shell behind it") {
  std::vector<std::string> command{"printf", "%s\\0"};
  command.insert(command.end(), nasty.begin(), nasty.end());
  for (const char* shell : {"sh", "dash", "bash", "zsh", "csh", "tcsh"}) {
    if (std::system(("command -v " + std::string(shell) + " >/dev/null 2>&1").c_str()) != 0) continue;
    INFO(shell);
    // As ssh does: one word, which a shell elsewhere reads again.
    std::string env = std::string("env A=1 ") + shell;
    CHECK(words_read_by("sh", line_of(request(command, env, {"-c", "."}))) == nasty);
    for (const std::string& word : nasty) {
      INFO("word: " << word);
      LaunchRequest one = request({"printf", "%s\\0", word}, shell, {"-c", "."});
      CHECK(words_read_by("sh", line_of(one)) == std::vector<std::string>{word});
    }
  }
  // As srun does: words, which nobody reads again.
  CHECK(words_read_by("sh", line_of(request(command, "env", {"A=1", "."}, false))) == nasty);
}
