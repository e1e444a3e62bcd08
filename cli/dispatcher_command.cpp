#include <fcntl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "launcher/launch/launches.h"
#include "process/descriptor_limit.h"
#include "scheduler/service.h"
#include "wire/connection.h"

namespace tenkai {
namespace cli_dispatcher {
namespace {

// Why it could not go on; empty when the session has ended.
std::string serve(int descriptor) {
  try {
    asio::io_context io(1);
    Service service(io, adopt_socket(io.get_executor(), descriptor, "the session"), open_launches);
    service.start();
    io.run();
    return service.trouble();
  } catch (const std::exception& error) {
    return error.what();
  }
}

int run(int descriptor) {
  int kind = 0;
  socklen_t size = sizeof kind;
  bool is_socket = ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_STREAM;
  if (!is_socket || ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
    std::fprintf(stderr,
                 "tenkai dispatcher: there is no session on descriptor %d.\n"
                 "An R session starts its dispatcher by itself: see ?daemons in the R package tenkai.\n",
                 descriptor);
    return 2;
  }
  raise_descriptor_limit();
  std::string trouble = serve(descriptor);
  if (trouble.empty()) return 0;
  // The session reads it there.
  std::fprintf(stderr, "%s\n", trouble.c_str());
  return 1;
}

}  // namespace
}  // namespace cli_dispatcher

void add_dispatcher_command(CLI::App& app, int& exit_code) {
  using namespace cli_dispatcher;
  CLI::App* command = app.add_subcommand("dispatcher", "Hand the tasks of an R session to its daemons");
  auto descriptor = std::make_shared<int>(3);
  command->add_option("--fd", *descriptor, "The inherited socket on which the session speaks")
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(3, 1 << 20));
  command->footer(
      "The R package starts it, not people.\n\n"
      "Example:\n"
      "  Rscript -e 'tenkai::daemons(2); tenkai::status()'\n\n"
      "Exit codes:\n"
      "  0  the session has ended\n"
      "  1  it could not go on, and stderr says why\n"
      "  2  there is no session on that descriptor");
  command->callback([descriptor, &exit_code] { exit_code = run(*descriptor); });
}

}  // namespace tenkai
