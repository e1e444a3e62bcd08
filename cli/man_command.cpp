// `tenkai man`: the manual pages, for the build of the program.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "base/text.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/man.h"

namespace tenkai {
namespace cli_man {
namespace {

struct Arguments {
  std::string command;
  std::string folder;
  std::string date;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "tenkai man: %s\n", printable(why, 500).c_str());
  return 2;
}

bool write_page(const Arguments& arguments, const ShownCommand& command, const ShownCommand& program) {
  std::ofstream file(arguments.folder + "/" + man_name(command) + ".1", std::ios::binary);
  file << man_page(command, program, program_version, arguments.date);
  file.close();
  return !file.fail();
}

int write_all(const Arguments& arguments, const ShownCommand& program) {
  bool good = write_page(arguments, program, program);
  for (const ShownCommand& each : program.commands) good = good && write_page(arguments, each, program);
  return good ? 0 : fail("cannot write into " + arguments.folder + ": " + std::strerror(errno));
}

int run(const Arguments& arguments, const ShownCommand& program) {
  if (!arguments.folder.empty()) return write_all(arguments, program);
  const ShownCommand* command = arguments.command.empty() ? &program : nullptr;
  for (const ShownCommand& each : program.commands) {
    if (name_of(each) == arguments.command) command = &each;
  }
  if (command == nullptr) return fail("there is no command '" + arguments.command + "'");
  std::string page = man_page(*command, program, program_version, arguments.date);
  std::fwrite(page.data(), 1, page.size(), stdout);
  return 0;
}

}  // namespace
}  // namespace cli_man

void add_man_command(CLI::App& app, int& exit_code) {
  using namespace cli_man;
  CLI::App* command = app.add_subcommand("man", "Print a manual page");
  command->group("");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("COMMAND", arguments->command, "Of this command, else of the program");
  command->add_option("--into", arguments->folder, "Write all of them into this folder");
  command->add_option("--date", arguments->date, "The date that is on them, such as 2026-11-30");
  command->callback([arguments, &app, &exit_code] { exit_code = run(*arguments, shown_command(app)); });
}

}  // namespace tenkai
