// `tenkai completion`: for those who type; and `tenkai values`, which its scripts ask.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/dispatchers.h"
#include "launcher/plugin/plugin_process.h"
#include "launcher/profile/find.h"
#include "launcher/view/show_view.h"
#include "process/own_path.h"

namespace tenkai {
namespace cli_completion {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int print_script(std::string_view shell, const ShownCommand& program) {
  if (shell == "bash") print(bash_completion(program));
  if (shell == "zsh") print(zsh_completion(program));
  if (shell == "fish") print(fish_completion(program));
  return 0;
}

// What is wrong with a file of profiles is not for the middle of a line that somebody types.
std::string profile_values() {
  std::string lines;
  for (const auto& [name, profile] : find_profiles().profiles.all)
    lines += name + "\t" + profile.text("launcher") + "\n";
  return lines;
}

std::string pid_values() {
  asio::io_context io(1);
  Result<Survey> seen = survey(io, std::nullopt);
  std::string lines;
  if (!seen) return lines;
  for (const FoundDispatcher& each : seen->found)
    lines += std::to_string(each.view.pid) + "\t" + printable(title_of(each.view)) + "\n";
  return lines;
}

std::string launcher_values() {
  std::string lines;
  for (const std::string& name : plugin_names(own_program(), std::getenv("TENKAI_PLUGINS")))
    lines += name + "\tlauncher plugin\n";
  return lines;
}

int print_values(std::string_view kind) {
  if (kind == "profile") print(profile_values());
  if (kind == "pid") print(pid_values());
  if (kind == "launcher") print(launcher_values());
  return 0;
}

}  // namespace
}  // namespace cli_completion

void add_completion_command(CLI::App& app, int& exit_code) {
  using namespace cli_completion;
  auto word = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print what completes commands and options in a shell");
  command->add_option("SHELL", *word, "bash, zsh or fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  command->footer(
      "An installation has these scripts where the shells look for them: share/bash-completion,\n"
      "share/zsh/site-functions and share/fish of its prefix.\n\n"
      "Example:\n"
      "  source <(tenkai completion bash)\n"
      "  source <(tenkai completion zsh)\n"
      "  tenkai completion fish | source\n\n"
      "Exit codes:\n"
      "  0  it is printed\n"
      "  2  the command line was not understood");
  command->callback([word, &app, &exit_code] { exit_code = print_script(*word, shown_command(app)); });
  CLI::App* values = app.add_subcommand("values", "Print what a value can be, a line each");
  values->add_option("KIND", *word, "profile, pid or launcher")->required();
  values->group("");
  values->callback([word, &exit_code] { exit_code = print_values(*word); });
}

}  // namespace tenkai
