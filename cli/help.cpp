#include "cli/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/columns.h"

namespace tenkai {
namespace {

using Row = std::pair<std::string, std::string>;
using Rows = std::vector<Row>;

constexpr std::size_t widest_name = 24;

// A name that is too wide has a line to itself.
std::string table_of_help(const std::string& title, const Rows& rows) {
  if (rows.empty()) return "";
  std::size_t width = 0;
  for (const auto& [name, about] : rows) {
    if (name.size() <= widest_name && !about.empty()) width = std::max(width, name.size());
  }
  std::string table = "\n" + title + ":\n";
  for (const auto& [name, about] : rows) {
    table += "  " + name;
    if (!about.empty()) {
      if (name.size() > width) table += "\n" + std::string(width + 4, ' ');
      else table += std::string(width + 2 - name.size(), ' ');
      table += filled(about, width + 4);
    }
    table += "\n";
  }
  return table;
}

Rows rows_of(const std::vector<ShownOption>& options, bool are_arguments) {
  Rows rows;
  for (const ShownOption& each : options) {
    std::string value = are_arguments ? "" : shown_value(each);
    rows.emplace_back(join(each.names, ", ") + (value.empty() ? "" : " " + value), about_of(each));
  }
  return rows;
}

struct HelpFormatter : CLI::FormatterBase {
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    return help_of(shown_command(*app));
  }
};

}  // namespace

std::string help_of(const ShownCommand& command) {
  std::string help = "Usage: " + usage_of(command) + "\n\n" + filled(command.about) + "\n";
  help += table_of_help("Arguments", rows_of(command.arguments, true));
  help += table_of_help("Options", rows_of(command.options, false));
  Rows commands;
  for (const ShownCommand& each : command.commands) commands.emplace_back(name_of(each), each.about);
  help += table_of_help("Commands", commands);
  for (const std::string& paragraph : command.paragraphs) help += "\n" + filled(paragraph) + "\n";
  for (const ShownSection& section : command.sections) help += table_of_help(section.title, section.lines);
  return help;
}

void set_help(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "Print this help, and end");
}

}  // namespace tenkai
