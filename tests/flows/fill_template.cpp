// For template_values.sh: reads a template and then values, each up to a NUL, puts each
// of the values in for launch.name, and writes "+" and the script, or "-" and why there
// is none, each up to a NUL.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "launcher/template/template.h"

int main() {
  std::string input{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  if (!input.ends_with('\0')) {
    std::fputs("fill_template: no NUL ends the input\n", stderr);
    return 2;
  }
  input.pop_back();
  std::vector<std::string_view> parts = tenkai::split(input, '\0');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    auto script = tenkai::render_template("t", parts[0], {{"launch.name", {std::string(parts[i])}}});
    std::cout << (script ? "+" + script->text : "-" + script.error().message) << '\0';
  }
  return 0;
}
