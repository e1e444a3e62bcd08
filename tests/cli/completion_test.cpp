#include "cli/completion.h"

#include "tests/catch.h"
#include "tests/cli/program.h"

using namespace tenkai;
using tenkai::test::Program;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("what a value is, its name says") {
  using Kind = CompletedValue::Kind;

  CHECK(completed_value("PROFILE").asked == "profile");
  CHECK(completed_value("FILE").kind == Kind::files);
  CHECK(completed_value("[ARGUMENTS...]").kind == Kind::files);
  CHECK(completed_value("COMMAND...").kind == Kind::programs);
  CHECK(completed_value("SECONDS").kind == Kind::nothing);
  ShownOption option;
  option.value = "FILE";
  option.choices = {"a", "b"};
  CHECK(completed_value(option).kind == Kind::choices);
}

TEST_CASE("each shell is told of the same commands, options and values") {
  Program program;
  ShownCommand shown = shown_command(program.app);

  std::string bash = bash_completion(shown);
  std::string zsh = zsh_completion(shown);
  std::string fish = fish_completion(shown);

  CHECK(has(bash, "'tenkai show --color') _tenkai_take \"$word\" < <(printf '%s\\n' auto never) ;;"));
  CHECK(has(bash, "'tenkai show') _tenkai_take \"$word\" < <(_tenkai_values profile) ;;"));
  CHECK(has(bash, "'tenkai profile') _tenkai_take \"$word\" < <(printf '%s\\n' list) ;;"));
  CHECK(has(zsh, "'--color=[It'\\''s coloured\\: or not]:TEXT:(auto never)'"));
  CHECK(has(zsh, "':NAME: _tenkai_values profile'"));
  CHECK(has(zsh, "'show:Show a profile, [all] of it'"));
  CHECK(has(zsh, "'*--args=[More words]:WORD: '"));
  CHECK(has(fish, "-n '__tenkai_at tenkai show' -l color -x -a 'auto never' -d 'It\\'s coloured: or not'"));
  CHECK(has(fish, "-n '__tenkai_at tenkai show' -a '(__tenkai_values profile)'"));
  for (const std::string& script : {bash, zsh, fish}) CHECK_FALSE(has(script, "secret"));
}
