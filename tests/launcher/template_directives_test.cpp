#include <string>
#include <string_view>
#include <vector>

#include "launcher/template/directives.h"

#include "tests/catch.h"
#include "tests/launcher/nasty_words.h"

using namespace tenkai;
using Words = std::vector<std::string>;

namespace {

Words words(std::string_view line) {
  Result<Words> read = words_of_directive(line);
  return read ? *read : Words{"error: " + read.error().message};
}

std::string problem(std::string_view script) {
  Result<Words> read = directives_of(script);
  return read ? "" : read.error().message;
}

bool says(const std::string& message, std::string_view part) { return message.find(part) != message.npos; }

}  // namespace

TEST_CASE("the words of a directive are those that sbatch reads") {
  CHECK(words(" --mem=1G  -p x") == Words{"--mem=1G", "-p", "x"});
  CHECK(words(" --comment=\"a b\"c'd e'") == Words{"--comment=a bcd e"});
  CHECK(words(" --a=b#c --d") == Words{"--a=b"});
  CHECK(words(" --a # --b") == Words{"--a"});
  CHECK(words(" '--a#b' --c") == Words{"--a#b", "--c"});
  // In both kinds of quotes, other than in a shell.
  CHECK(words(" 'a\\'b' \"c\\\"d\" e\\\\f") == Words{"a'b", "c\"d", "e\\f"});
  CHECK(words(" \"$(x) `y` $z\"") == Words{"$(x) `y` $z"});
  CHECK(words("\t--a\v--b") == Words{"--a", "--b"});
  CHECK(words("").empty());
}

TEST_CASE("what sbatch would stumble over or read in part is refused") {
  CHECK(says(words(" \"a")[0], "quote is not closed"));
  CHECK(says(words(" a\\ b")[0], "backslash at the end of a word"));
  CHECK(says(words(" :a")[0], "cannot begin with ':'"));
  CHECK(says(words(" \"\" --b")[0], "empty word"));
  CHECK(says(words(" HetJob")[0], "border between parts"));
  CHECK(says(words(" --comment=xpackjobx")[0], "border between parts"));
}

TEST_CASE("a value on a directive line is read as it is, or refused") {
  Words more = {"hetjob", "a PACKJOB b", "hetjobpackjob", ":", ":x", "x:y", "#", "jobhetjo", "packjo\\b"};
  Words all = test::nasty;
  all.insert(all.end(), more.begin(), more.end());
  int refused = 0;
  for (const std::string& value : all) {
    INFO("value: " << value);
    Result<std::string> word = directive_word(value);
    if (!word) {
      ++refused;
      CHECK(value.find_first_of("\n\r\t\x01\x7F\x1B\xFF") != value.npos);
      continue;
    }
    CHECK(words(" --comment=" + *word + " --behind") == Words{"--comment=" + value, "--behind"});
    if (!value.empty()) CHECK(words(" " + *word) == Words{value});
  }
  CHECK(refused == 11);
}

TEST_CASE("values that need no quotes get none") {
  CHECK(*directive_word("1:30:00") == "1:30:00");
  CHECK(*directive_word("/home/me/log-%A_%a") == "/home/me/log-%A_%a");
  CHECK(*directive_word("a b") == "\"a b\"");
}

TEST_CASE("directives end with the first command") {
  Result<Words> read =
      directives_of("#!/bin/bash\n#SBATCH -a 1\n\n  # text\n#SBATCH\n#SBATCH --b\ntrue # x\n");

  REQUIRE(read);
  CHECK(*read == Words{"-a", "1", "--b"});
}

TEST_CASE("a line that only looks like a directive is refused") {
  CHECK(says(problem("#!/bin/sh\ntrue\n#SBATCH -a\n"), "behind the first command"));
  CHECK(says(problem("#!/bin/sh\n #SBATCH -a\n"), "at the begin of its line"));
  CHECK(says(problem("#!/bin/sh\n#SBATCHx -a\n"), "a blank must follow"));
  CHECK(says(problem("#!/bin/sh\n#PBS -l nodes=5\n"), "#PBS lines"));
  CHECK(says(problem("#!/bin/sh\ntrue\n#BSUB -n 5\n"), "#BSUB lines"));
  CHECK(says(problem("#!/bin/sh\n#SLURM -n 5\n"), "#SLURM lines"));
  CHECK(problem("#!/bin/sh\n# SBATCH -a\n##SBATCH -b\n#pbs\n").empty());
}
