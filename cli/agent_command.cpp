#include <fcntl.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/url.h"
#include "cli/commands.h"
#include "process/descriptor_limit.h"

namespace tenkai {
namespace {

struct Arguments {
  std::vector<std::string> urls;
  AgentOptions options;
  std::string autoexit = "1";
  int adopt_pid = 0;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "tenkai agent: %s\n", why.c_str());
  return 2;
}

int run(Arguments& arguments) {
  AgentOptions& options = arguments.options;
  for (const std::string& text : arguments.urls) {
    Result<Url> url = parse_url(text);
    if (!url) return fail(url.error().message);
    options.urls.push_back(*url);
  }
  if (options.urls.size() != 1 && options.urls.size() != options.daemons) {
    return fail("give one --url for all daemons, or one for each of the " + std::to_string(options.daemons));
  }
  if (arguments.adopt_pid != 0) {
    if (options.daemons != 1) return fail("--adopt-pid means one daemon");
    if (::fcntl(options.adopt_fd, F_SETFD, FD_CLOEXEC) != 0)
      return fail("--adopt-fd is not an open descriptor");
    options.adopt_pid = arguments.adopt_pid;
  }
  if (arguments.autoexit == "0") options.autoexit = AgentOptions::Autoexit::stay;
  if (arguments.autoexit == "na") options.autoexit = AgentOptions::Autoexit::finish;
  raise_descriptor_limit();
  asio::io_context io(1);
  Agent agent(io, options);
  agent.start();
  io.run();
  return agent.exit_code();
}

}  // namespace

void add_agent_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("agent", "Run R daemons on this machine for a dispatcher on another one");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option("--url", arguments->urls,
                   "Where the dispatcher listens; one for all daemons, or one for each")
      ->required();
  command->add_option("--daemons", arguments->options.daemons, "How many R daemons to run")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command->add_option("--rscript", arguments->options.rscript, "The program that runs R")
      ->capture_default_str();
  command->add_option("--call", arguments->options.call, "The R expression that each daemon runs")
      ->capture_default_str();
  command->add_flag("--output", arguments->options.output, "Show what the daemons print");
  command
      ->add_option("--autoexit", arguments->autoexit,
                   "When the dispatcher is gone: 1 end now, na finish the running task, 0 wait for another")
      ->capture_default_str()
      ->check(CLI::IsMember({"1", "na", "0"}));
  command->add_option("--adopt-pid", arguments->adopt_pid,
                      "An R process that runs already (used by tenkai::daemon())");
  command->add_option("--adopt-fd", arguments->options.adopt_fd, "The inherited socket to that R");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace tenkai
