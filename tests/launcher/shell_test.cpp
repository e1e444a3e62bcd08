#include "launcher/template/shell.h"

#include <cstdlib>

#include "tests/catch.h"
#include "tests/launcher/nasty_words.h"

using namespace tenkai;
using test::nasty;
using test::words_read_by;

namespace {

bool is_there(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace

TEST_CASE("every word arrives as it is, whatever shell reads the command first") {
  for (const char* shell : {"sh", "dash", "bash", "zsh", "csh", "tcsh"}) {
    if (!is_there(shell)) continue;
    INFO(shell);
    for (const std::string& word : nasty) {
      INFO("word: " << word);
      std::vector<std::string> sent{word, "behind"};
      std::string line = shell_command({"printf", "%s\\0", word, "behind"});
      CHECK(words_read_by(shell, line) == sent);
    }
    std::vector<std::string> all{"printf", "%s\\0"};
    all.insert(all.end(), nasty.begin(), nasty.end());
    CHECK(words_read_by(shell, shell_command(all)) == nasty);
  }
}

TEST_CASE("a word for /bin/sh arrives as it is") {
  for (const std::string& word : nasty) {
    INFO("word: " << word);
    CHECK(words_read_by("sh", "printf '%s\\0' " + sh_word(word)) == std::vector<std::string>{word});
  }
}

TEST_CASE("a command that all shells read alike is left readable") {
  CHECK(shell_command({"Rscript", "-e", "tenkai::daemon('ws://h:1/1',rs=c(1,2))"}) ==
        "Rscript -e \"tenkai::daemon('ws://h:1/1',rs=c(1,2))\"");
  CHECK(shell_command({"a", "b c"}) == "a 'b c'");
}
