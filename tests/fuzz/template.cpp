// Templates and values, with a NUL between: whatever they say, there is an error, or a
// script whose directives are those of the template, and no value is part of the rest.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "launcher/template/directives.h"
#include "launcher/template/template.h"

namespace {

void check(const tenkai::Result<tenkai::JobScript>& script) {
  if (!script) {
    if (script.error().message.empty()) std::abort();
    return;
  }
  auto directives = tenkai::directives_of(script->text);
  if (!directives || *directives != script->directives) std::abort();
}

// In a template of ours the directives are known beforehand.
void check_value(const std::string& value) {
  auto script = tenkai::render_template(
      "t", "#!/bin/sh\n#SBATCH -J {{ launch.name }} --comment={{ launch.name }}\nx={{ launch.name }}\n",
      {{"launch.name", {value}}});
  check(script);
  if (!script) return;
  if (script->directives != std::vector<std::string>{"-J", value, "--comment=" + value}) std::abort();
  if (auto word = tenkai::directive_word(value); !word || word->find('\n') != word->npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t nul = text.find('\0');
  std::string value(nul == text.npos ? text : text.substr(nul + 1));
  check(tenkai::render_template("t", text.substr(0, nul),
                                {{"launch.name", {value}},
                                 {"launch.command", {value, "x", value}},
                                 {"slurm.options", {value}},
                                 {"environment.prologue", {value}}}));
  check_value(value);
  return 0;
}
