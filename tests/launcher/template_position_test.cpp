#include <string>
#include <string_view>

#include "launcher/template/shell_position.h"

#include "tests/catch.h"

using namespace tenkai;

namespace {

// Why no word can stand behind the text; "" where one can.
std::string place(std::string_view text) {
  ShellPosition position;
  position.read(text);
  return position.no_place().value_or("");
}

}  // namespace

TEST_CASE("a word can stand where a shell reads words") {
  for (const char* text : {"",
                           "echo ",
                           "echo --x=",
                           "x=",
                           "a 'b' \"c\" ",
                           "echo $x ",
                           "echo ${x#y} ",
                           "x=$(echo ",
                           "(cd ",
                           "echo $# ",
                           "echo a#b ",
                           "# x\n",
                           "cat <<E\n'\nE\necho ",
                           "cat <<-'E F'\nx\n\tE F\necho ",
                           "read x <<<",
                           "read x <<<'a' ",
                           "echo \\' ",
                           "echo $'\\'' ",
                           "echo \"$(echo \"a\")\" ",
                           "echo \"${x:-it's}\" ",
                           "echo `a` ",
                           "x=$((1+(2))) ",
                           "((x = 1 << 2)) && ",
                           "echo \"\\\"\" ",
                           "case x in a) ",
                           "echo a[1] ",
                           "echo $$",
                           "echo \"$$(\" ",
                           "x=\"a\nb\" ",
                           "for i in ",
                           "echo a \\\n "}) {
    INFO(text);
    CHECK(place(text).empty());
  }
}

TEST_CASE("no word can stand where it would be something else") {
  CHECK(place("echo \"") == "within quotes");
  CHECK(place("echo '") == "within quotes");
  CHECK(place("echo $'\\'") == "within quotes");
  CHECK(place("echo $\"") == "within quotes");
  CHECK(place("echo \"a\n# b") == "within quotes");
  CHECK(place("echo \"$(") == "within quotes");
  CHECK(place("echo \"$(echo \"a\" ") == "within quotes");
  CHECK(place("echo \"${x:-it's") == "within quotes");
  CHECK(place("echo `") == "within backquotes");
  CHECK(place("x # ") == "in a comment");
  CHECK(place("x;#") == "in a comment");
  CHECK(place("((1))#") == "in a comment");
  CHECK(place("(x)#") == "in a comment");
  CHECK(place("$((1))#\"") == "within quotes");
  CHECK(place("$(x)#\"") == "within quotes");
  CHECK(place("x \\\n#") == "in a comment");
  CHECK(place("$\\\n((") == "in arithmetic");
  CHECK(place("\"$\\\n(") == "within quotes");
  CHECK(place("cat <<E\n") == "in a here-document");
  CHECK(place("cat <<") == "in a here-document");
  CHECK(place("cat <<E; cat <<F\nE\n") == "in a here-document");
  CHECK(place("cat <<'E'\nE \n") == "in a here-document");
  CHECK(place("x=$((1 + ") == "in arithmetic");
  CHECK(place("((") == "in arithmetic");
  CHECK(place("$(( (1) + ") == "in arithmetic");
  CHECK(place("echo ${x:-") == "within ${ }");
  CHECK(place("x[") == "in an index");
  CHECK(place("x[ ") == "in an index");
  CHECK(place("$[ ") == "in arithmetic");
  CHECK(place("\"$[\"1\" ") == "within quotes");
  CHECK(place("echo \\") == "behind a backslash");
  CHECK(place("echo $") == "behind a '$'");
  CHECK(place("echo \"$(case x in a) echo \"") == "behind a 'case' within quotes");
}

TEST_CASE("a line of its own begins where nothing is open") {
  ShellPosition position;
  position.read("cat <<E\n");
  CHECK_FALSE(position.is_between_lines());
  position.read("E\n");
  CHECK(position.is_between_lines());
  position.read("a \\\n");
  CHECK_FALSE(position.is_between_lines());
  position.read("b\n(\n");
  CHECK_FALSE(position.is_between_lines());
}
