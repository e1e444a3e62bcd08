#include "cli/man.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"
#include "cli/columns.h"

namespace tenkai {
namespace {

// Short enough when troff's escapes have come in.
constexpr std::size_t source_width = 68;

// Text as troff must read it to print the same.
std::string troff(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if (c == '\'') out += "\\(aq";
    else if (c == '`') out += "\\(ga";
    else if (c == '^') out += "\\(ha";
    else if (c == '~') out += "\\(ti";
    else out += c;
    at_start = c == '\n';
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + troff(text) + "\\fR"; }
std::string slanted(std::string_view text) { return "\\fI" + troff(text) + "\\fR"; }

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string prose(std::string_view text) { return troff(filled(text, 0, source_width)) + "\n"; }

std::string section(const std::string& title) { return ".SH " + title + "\n"; }

std::string item(const std::string& tag, std::string_view about) {
  return ".TP\n" + tag + "\n" + prose(about);
}

// What is typed is bold, what stands for something else is slanted.
std::string tag_of(const ShownOption& option, bool is_argument) {
  if (is_argument) return slanted(option.names.front());
  std::string tag;
  for (const std::string& name : option.names) tag += (tag.empty() ? "" : ", ") + bold(name);
  if (!option.choices.empty()) {
    std::vector<std::string> words;
    for (const std::string& each : option.choices) words.push_back(bold(each));
    return tag + " " + join(words, "|");
  }
  return option.value.empty() ? tag : tag + " " + slanted(option.value);
}

// What all have is said once, of the command that they are below.
std::string items_of(const ShownCommand& command, bool is_below) {
  std::string text;
  for (const ShownOption& each : command.arguments) text += item(tag_of(each, true), about_of(each));
  for (const ShownOption& each : command.options) {
    if (!is_below || each.names.back() != "--help") text += item(tag_of(each, false), about_of(each));
  }
  return text;
}

std::string synopsis_of(const ShownCommand& command) {
  std::string behind = usage_of(command).substr(command.called.size());
  return bold(command.called) + troff(behind) + "\n";
}

// Lines as they are: examples.
bool is_verbatim(const ShownSection& section) {
  return std::ranges::all_of(section.lines, [](const auto& line) { return line.second.empty(); });
}

std::string lines_of(const ShownSection& section) {
  std::string text;
  if (is_verbatim(section)) {
    text = ".nf\n.RS 4\n";
    for (const auto& [line, nothing] : section.lines) text += troff(line) + "\n";
    return text + ".RE\n.fi\n";
  }
  for (const auto& [word, about] : section.lines) text += item(bold(word), about);
  return text;
}

std::string man_title(const std::string& title) {
  if (title == "Exit codes") return "EXIT STATUS";
  if (title == "Example") return "EXAMPLES";
  return upper(title);
}

std::string sections_of(const ShownCommand& command) {
  std::string text;
  for (const ShownSection& each : command.sections) text += section(man_title(each.title)) + lines_of(each);
  return text;
}

// For a command that is described on the page of another one.
std::string part_of(const ShownCommand& command, const ShownCommand& above) {
  std::string text =
      ".SS " + troff(usage_of(command)) + "\n" + prose(command.about + ".") + items_of(command, true);
  if (command.sections == above.sections) return text;
  for (const ShownSection& each : command.sections)
    text += ".PP\n" + troff(each.title) + ":\n" + lines_of(each);
  return text;
}

std::string commands_of_page(const ShownCommand& command, bool is_program) {
  if (command.commands.empty()) return "";
  std::string text = section("COMMANDS");
  for (const ShownCommand& each : command.commands)
    text += is_program ? item(bold(man_name(each)) + "(1)", each.about + ".") : part_of(each, command);
  return text;
}

std::string also(const ShownCommand& command, const ShownCommand& program) {
  std::vector<std::string> pages;
  if (command.called != program.called) pages.push_back(bold(man_name(program)) + "(1)");
  for (const ShownCommand& each : program.commands) {
    if (each.called != command.called) pages.push_back(bold(man_name(each)) + "(1)");
  }
  return pages.empty() ? "" : section("SEE ALSO") + join(pages, ",\n") + "\n";
}

}  // namespace

std::string man_name(const ShownCommand& command) {
  std::string name = command.called;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string man_page(const ShownCommand& command, const ShownCommand& program, std::string_view version,
                     std::string_view date) {
  std::string name = man_name(command);
  std::string page = ".TH " + upper(name) + " 1 \"" + std::string(date) + "\" \"" + program.called + " " +
                     std::string(version) + "\"\n";
  page += section("NAME") + troff(name) + " \\- " + troff(command.about) + "\n";
  page += section("SYNOPSIS") + synopsis_of(command);
  std::vector<std::string> paragraphs;
  for (const std::string& each : command.paragraphs) paragraphs.push_back(prose(each));
  if (!paragraphs.empty()) page += section("DESCRIPTION") + join(paragraphs, ".PP\n");
  page += section("OPTIONS") + items_of(command, false);
  page += commands_of_page(command, command.called == program.called);
  return page + sections_of(command) + also(command, program);
}

}  // namespace tenkai
