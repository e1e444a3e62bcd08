#include "cli/unknown_word.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "base/text.h"
#include "launcher/profile/nearest.h"

namespace tenkai {
namespace {

using Words = std::vector<std::string>;

Words commands_of(const CLI::App& app) {
  Words names;
  // What has no group is not shown to people.
  for (const CLI::App* each :
       app.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); }))
    names.push_back(each->get_name());
  return names;
}

Words options_of(const CLI::App& app) {
  Words names;
  for (const CLI::Option* each : app.get_options()) {
    for (const std::string& name : each->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// What follows `tenkai run` is another command's, unless it begins as an option of ours would.
bool has_unknown(const CLI::App& command) {
  Words rest = command.remaining();
  return !rest.empty() && (!command.get_prefix_command() || rest.front().starts_with('-'));
}

std::string nearest_option(const CLI::App& command, const std::string& word) {
  return nearest(word.substr(0, word.find('=')), options_of(command));
}

// The command that has met such a word, and how it is called.
const CLI::App* find_command(const CLI::App& app, std::string& called) {
  const CLI::App* command = &app;
  called = "tenkai";
  while (!has_unknown(*command)) {
    if (command->get_subcommands().empty()) return nullptr;
    command = command->get_subcommands().front();
    called += " " + command->get_name();
  }
  return command;
}

}  // namespace

std::string unknown_word(const CLI::App& app) {
  std::string called;
  const CLI::App* command = find_command(app, called);
  if (command == nullptr) return "";
  const std::string word = command->remaining().front();
  std::string quoted = "'" + printable(word, 60) + "'";
  std::string help = called + " --help shows those there are";
  auto meant = [&help](const std::string& near) {
    return near.empty() ? help : "did you mean '" + near + "'? " + help;
  };
  if (word.starts_with('-'))
    return called + ": there is no option " + quoted + "; " + meant(nearest_option(*command, word));
  Words commands = commands_of(*command);
  if (!commands.empty())
    return called + ": there is no command " + quoted + "; " + meant(nearest(word, commands));
  return called + ": " + quoted + " is one argument too many; " + called + " --help shows which it takes";
}

}  // namespace tenkai
