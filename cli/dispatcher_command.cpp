#include <fcntl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "launcher/launches.h"
#include "process/descriptor_limit.h"
#include "scheduler/service.h"
#include "wire/connection.h"

namespace tenkai {
namespace {

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
  asio::io_context io(1);
  Service service(io, adopt_socket(io.get_executor(), descriptor, "the session"), open_launches);
  service.start();
  io.run();
  return 0;
}

}  // namespace

void add_dispatcher_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand(
      "dispatcher",
      "Hand the tasks of one R session out to its daemons (started by the R package, not by people)");
  auto descriptor = std::make_shared<int>(3);
  command->add_option("--fd", *descriptor, "The inherited socket on which the session speaks")
      ->capture_default_str()
      ->check(CLI::Range(3, 1 << 20));
  command->callback([descriptor, &exit_code] { exit_code = run(*descriptor); });
}

}  // namespace tenkai
