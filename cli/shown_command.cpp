#include "cli/shown_command.h"

#include <CLI/CLI.hpp>
#include <cctype>
#include <string_view>

#include "base/text.h"

namespace tenkai {
namespace {

bool is_title(std::string_view line) {
  return line.size() > 1 && line.ends_with(':') &&
         std::isupper(static_cast<unsigned char>(line.front())) != 0;
}

// "  0  all have joined" is two; what is further to the right goes on with the line before.
void add_line(std::string_view line, ShownSection& section) {
  std::string_view text = trim(line);
  std::size_t margin = line.find_first_not_of(' ');
  std::size_t gap = text.find("  ");
  if (margin > 2 && !section.lines.empty() && !section.lines.back().second.empty()) {
    section.lines.back().second += " " + std::string(text);
  } else if (gap == text.npos) {
    section.lines.emplace_back(text, "");
  } else {
    section.lines.emplace_back(text.substr(0, gap), trim(text.substr(gap)));
  }
}

void read_footer(std::string_view footer, ShownCommand& command) {
  bool goes_on = false;  // a paragraph
  for (std::string_view line : split(footer, '\n')) {
    bool is_usage = command.paragraphs.empty() && line.starts_with(command.called + " [");
    if (line.empty()) {
      goes_on = false;
    } else if (is_title(line)) {
      command.sections.push_back({std::string(line.substr(0, line.size() - 1)), {}});
    } else if (line.starts_with("  ") && !command.sections.empty()) {
      add_line(line, command.sections.back());
    } else if (is_usage) {
      std::string_view behind = line.substr(line.find(']') + 1);
      for (std::string_view word : split(trim(behind), ' ')) command.rest.emplace_back(word);
    } else if (goes_on) {
      command.paragraphs.back() += " " + std::string(line);
    } else {
      command.paragraphs.emplace_back(line);
      goes_on = true;
    }
  }
}

// "PROFILE", "UINT in [1 - 60]" and "{stdin,file}", with ':' between: what it takes, and its checks.
void read_type(std::string_view type, ShownOption& option) {
  bool first = true;
  for (std::string_view part : split(type, ':')) {
    std::size_t range = part.find(" in [");
    if (part.starts_with('{') && part.ends_with('}')) {
      for (std::string_view each : split(part.substr(1, part.size() - 2), ','))
        option.choices.emplace_back(each);
    } else if (range != part.npos && part.ends_with(']')) {
      std::string_view limits = part.substr(range + 5, part.size() - range - 6);
      std::size_t dash = limits.find(" - ");
      if (dash != limits.npos)
        option.range = std::string(limits.substr(0, dash)) + " to " + std::string(limits.substr(dash + 3));
    } else if (first) {
      option.value = part;
    }
    first = false;
  }
}

ShownCommand shown(const CLI::App& app, const std::string& called) {
  ShownCommand command;
  command.called = called;
  command.about = app.get_description();
  for (const CLI::Option* each : app.get_options()) {
    if (each->get_group().empty()) continue;
    (each->get_positional() ? command.arguments : command.options).push_back(shown_option(*each));
  }
  for (const CLI::App* each :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
    command.commands.push_back(shown(*each, called + " " + each->get_name()));
  read_footer(app.get_footer(), command);
  return command;
}

}  // namespace

ShownOption shown_option(const CLI::Option& option) {
  ShownOption shown;
  shown.about = option.get_description();
  shown.is_required = option.get_required();
  if (option.get_positional()) {
    shown.names = {option.get_name(true)};
  } else {
    for (const std::string& name : option.get_snames()) shown.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) shown.names.push_back("--" + name);
  }
  // The library knows a type of flags, too.
  if (option.get_items_expected_max() == 0) return shown;
  read_type(option.get_type_name(), shown);
  shown.preset = option.get_default_str();
  shown.variable = option.get_envname();
  shown.is_repeated = option.get_items_expected_max() > 1;
  return shown;
}

ShownCommand shown_command(const CLI::App& app) {
  std::string called = app.get_name();
  for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent())
    called = above->get_name() + " " + called;
  return shown(app, called);
}

std::string name_of(const ShownCommand& command) {
  return command.called.substr(command.called.rfind(' ') + 1);
}

std::string usage_of(const ShownCommand& command) {
  std::string usage = command.called + " [OPTIONS]";
  for (const ShownOption& each : command.arguments) {
    std::string text = each.names.front() + (each.is_repeated ? "..." : "");
    usage += " " + (each.is_required ? text : "[" + text + "]");
  }
  for (const std::string& word : command.rest) usage += " " + word;
  return usage + (command.commands.empty() ? "" : " COMMAND");
}

std::string shown_value(const ShownOption& option) {
  return option.choices.empty() ? option.value : join(option.choices, "|");
}

std::string about_of(const ShownOption& option) {
  std::vector<std::string> limits;
  if (option.is_required) limits.push_back("required");
  if (!option.range.empty()) limits.push_back(option.range);
  if (!option.preset.empty()) limits.push_back(option.preset + " if not given");
  if (!option.variable.empty()) limits.push_back("also by " + option.variable);
  return option.about + (limits.empty() ? "" : " (" + join(limits, "; ") + ")");
}

}  // namespace tenkai
