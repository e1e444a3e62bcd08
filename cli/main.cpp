// The program `tenkai`: what runs beside R.
#include <nss.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

#include "base/version.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/log.h"
#include "cli/unknown_word.h"
#include "wire/certificate.h"

namespace {

// A disk that is full is found out when what was printed is written. A reader that has seen
// enough is no error.
int printed(int exit_code) {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout) return exit_code;
  if (errno == EPIPE) return exit_code;
  std::fprintf(stderr, "tenkai: what it says cannot be written (%s)\n", std::strerror(errno));
  return exit_code == 0 ? 1 : exit_code;
}

void describe(CLI::App& app) {
  tenkai::set_help(app);
  app.set_version_flag("--version", std::string(tenkai::program_version), "Print the version, and end");
  app.require_subcommand(1);
  app.footer(
      "Environment:\n"
      "  TENKAI_LOG      what is written to stderr: off (default), error, warn, info, debug\n"
      "  TENKAI_CONFIG   further files of profiles, with ':' between\n"
      "  TENKAI_PLUGINS  folders of further launcher plugins, with ':' between\n"
      "  NO_COLOR        no colours, on terminals neither\n\n"
      "Example:\n"
      "  tenkai status\n\n"
      "Exit codes:\n"
      "  0  it is done\n"
      "  1  not all of it is, as each command says\n"
      "  2  nothing was done: the command line was not understood, or cannot be followed");
}

void prepare_process() {
  // A log line to a terminal that is gone must not end us.
  std::signal(SIGPIPE, SIG_IGN);
#ifdef TENKAI_STATIC
  // Other services of names are libraries, for which a program of one file has no room.
  ::__nss_configure_lookup("hosts", "files dns");
  ::__nss_configure_lookup("passwd", "files");
#endif
  // Before anything else of OpenSSL: the machine's configuration is not read.
  tenkai::start_openssl();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // What we hold must not be found in a core file, nor be read by a debugger. It
  // does not pass on to the R processes that we start.
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Asynchronous evaluation of R expressions on persistent R processes", "tenkai"};
  describe(app);
  prepare_process();
  int exit_code = 0;
  tenkai::add_status_command(app, exit_code);
  tenkai::add_launch_command(app, exit_code);
  tenkai::add_run_command(app, exit_code);
  tenkai::add_carry_command(app, exit_code);
  tenkai::add_profile_command(app, exit_code);
  tenkai::add_plugins_command(app, exit_code);
  tenkai::add_clean_command(app, exit_code);
  tenkai::add_completion_command(app, exit_code);
  tenkai::add_version_command(app, exit_code);
  tenkai::add_agent_command(app, exit_code);
  tenkai::add_dispatcher_command(app, exit_code);
  tenkai::add_plugin_command(app, exit_code);
  tenkai::add_doctor_command(app, exit_code);
  tenkai::add_man_command(app, exit_code);
  tenkai::start_log();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version end here, too. The library has a number for each kind of error;
    // here all of them mean that nothing was done.
    bool is_help = error.get_exit_code() == 0;
    if (std::string why = is_help ? "" : tenkai::unknown_word(app); !why.empty()) {
      std::fprintf(stderr, "%s\n", why.c_str());
      return 2;
    }
    return printed(app.exit(error) == 0 ? 0 : 2);
  }
  return printed(exit_code);
}
