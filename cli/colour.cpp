#include "cli/colour.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <string>

namespace tenkai {

bool is_coloured(std::string_view choice, bool is_terminal, const char* term, const char* no_color) {
  if (choice != "auto") return choice == "always";
  bool is_dumb = term == nullptr || std::string_view(term) == "dumb";
  bool is_unwanted = no_color != nullptr && *no_color != '\0';
  return is_terminal && !is_dumb && !is_unwanted;
}

std::function<bool()> add_colour_option(CLI::App& command) {
  auto choice = std::make_shared<std::string>("auto");
  command.add_option("--color", *choice, "Colours: auto has them on a terminal, unless NO_COLOR is set")
      ->type_name("WHEN")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "always", "never"}));
  return [choice] {
    return is_coloured(*choice, ::isatty(STDOUT_FILENO) == 1, std::getenv("TERM"), std::getenv("NO_COLOR"));
  };
}

}  // namespace tenkai
