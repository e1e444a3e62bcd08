#include <fcntl.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/agent.h"
#include "base/counted.h"
#include "base/daemon_call.h"
#include "base/lines.h"
#include "base/r_call.h"
#include "base/random_stream.h"
#include "base/text.h"
#include "base/url.h"
#include "cli/commands.h"
#include "process/descriptor_limit.h"

namespace tenkai {
namespace cli_agent {
namespace {

constexpr std::size_t max_certificates = 64 * 1024;  // bytes of PEM

struct Arguments {
  std::vector<std::string> urls;
  std::string credential;
  std::string certificates;
  bool has_manifest = false;
  AgentOptions options;
  std::string autoexit = "1";
  int adopt_pid = 0;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "tenkai agent: %s\n", why.c_str());
  return 2;
}

// An R that waits for us is told as well, or it would know only that we are gone.
int refuse(const Arguments& arguments, const std::string& why) {
  if (arguments.options.adopt_fd >= 0) {
    std::string head = encode_head(Frame(Type::refused).with(Key::message, why));
    if (::send(arguments.options.adopt_fd, head.data(), head.size(), MSG_NOSIGNAL) > 0) return 2;
  }
  return fail(why);
}

Result<std::string> read_certificates_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{"cannot read the certificates in " + path + ": " + std::strerror(errno)};
  std::string text(max_certificates + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max_certificates) return Error{path + " is too large for certificates"};
  return text;
}

// All agents of a job read one launch manifest; each has the next so many daemons, and the last
// one those that are left.
void take_own_part(AgentOptions& options, std::vector<std::string>& urls) {
  std::size_t begin = std::min(urls.size(), std::size_t{options.rank} * options.daemons);
  std::size_t end = std::min(urls.size(), begin + options.daemons);
  auto keep = [begin, end](auto& all) {
    if (end > all.size()) return;
    all.erase(all.begin() + static_cast<long>(end), all.end());
    all.erase(all.begin(), all.begin() + static_cast<long>(begin));
  };
  options.first_daemon = begin;
  keep(urls);
  if (!options.streams.empty()) keep(options.streams);
  if (end > begin) options.daemons = end - begin;
}

// The launch manifest, which a launcher has written behind the credential: where each daemon
// dials, and what its R evaluates.
Result<Credential> read_manifest(Arguments& arguments) {
  Result<LaunchManifest> manifest = read_launch_manifest(arguments.credential);
  if (!manifest) return manifest.error();
  std::vector<std::string> urls;
  AgentOptions& options = arguments.options;
  auto read = [&](std::string_view key, const std::string& value) -> Result<Done> {
    Result<bool> known = read_daemon_field(key, value, options.daemon);
    if (!known) return known.error();
    if (key == "url") urls.push_back(value);
    if (key == "stream") {
      std::optional<RandomStream> stream = parse_stream(value);
      if (!stream) return Error{"'" + printable(value) + "' is no stream of random numbers"};
      options.streams.push_back(*stream);
    }
    if (key != "memory") return Done{};
    options.memory_limit = to_number<std::uint64_t>(value);
    if (options.memory_limit) return Done{};
    return Error{"it limits the memory of daemons to '" + printable(value) +
                 "', which is no number of bytes"};
  };
  Result<Done> good = read_lines(manifest->lines, read);
  if (!good) return Error{"the launch manifest cannot be used: " + good.error().message};
  if (options.in_job) take_own_part(options, urls);
  std::size_t daemons = options.daemons;
  bool has_streams = options.streams.empty() || options.streams.size() == daemons;
  if (urls.size() != daemons || !has_streams) {
    return Error{"the launch manifest is for " + counted(urls.size(), "daemon") + ", not for " +
                 std::to_string(daemons)};
  }
  arguments.urls = std::move(urls);
  return std::move(manifest->credential);
}

// First of all: what we open ourselves could have the number of a descriptor that
// was not inherited.
Result<Done> read_secrets(Arguments& arguments) {
  AgentOptions& options = arguments.options;
  if (!arguments.credential.empty()) {
    Result<Credential> credential =
        arguments.has_manifest ? read_manifest(arguments) : read_credential(arguments.credential);
    if (!credential) return credential.error();
    if (is_expired(*credential, std::chrono::system_clock::now())) {
      return Error{"the credential has expired; launch_remote() on the host makes a new command"};
    }
    if (arguments.urls.empty()) arguments.urls = credential->urls;
    options.credential = std::move(*credential);
  }
  if (arguments.certificates.empty()) return Done{};
  Result<std::string> text = read_certificates_of(arguments.certificates);
  if (!text) return text.error();
  options.certificates = std::move(*text);
  return Done{};
}

int run(Arguments& arguments) {
  AgentOptions& options = arguments.options;
  Result<Done> secrets = read_secrets(arguments);
  if (!secrets) return refuse(arguments, secrets.error().message);
  if (arguments.urls.empty()) return fail("give --url, or a credential that names one");
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
  options.autoexit = autoexit_from_word(arguments.autoexit).value_or(Autoexit::now);
  raise_descriptor_limit();
  asio::io_context io(1);
  Agent agent(io, std::move(options));
  agent.start();
  io.run();
  return agent.exit_code();
}

// Seconds since 1970, as Slurm says it from 23.02 on, and our job script otherwise. One
// that is over is of a job that we are not in any more.
std::optional<std::chrono::system_clock::time_point> job_end_of(const char* text) {
  if (text == nullptr) return std::nullopt;
  auto seconds = to_number<std::int64_t>(text);
  // Beyond the year 5138 it is no time.
  if (!seconds || *seconds < 0 || *seconds > 100'000'000'000) return std::nullopt;
  std::chrono::system_clock::time_point end{std::chrono::seconds(*seconds)};
  if (end <= std::chrono::system_clock::now()) return std::nullopt;
  return end;
}

// Where a profile wants the logs of the daemons to stay, and how their names begin.
void find_logs(AgentOptions& options) {
  const char* logs = std::getenv("TENKAI_LOGS");
  if (logs == nullptr || !options.in_job) return;
  options.logs = logs;
  options.task_logs = std::getenv("TENKAI_TASK_LOGS") != nullptr;
  const char* job = std::getenv("SLURM_ARRAY_JOB_ID");
  if (job == nullptr) job = std::getenv("SLURM_JOB_ID");
  if (job != nullptr) options.log_name = std::string(job) + "-";
}

void find_job(AgentOptions& options) {
  find_logs(options);
  options.job_end = job_end_of(std::getenv("SLURM_JOB_END_TIME"));
  if (!options.job_end) options.job_end = job_end_of(std::getenv("TENKAI_JOB_END"));
  if (!options.in_job) return;
  options.brings = std::getenv(bringing_variable) != nullptr;
  // What daemons launch in turn is not of this job's ranks, and does not get the whole
  // allocation.
  ::unsetenv("TENKAI_RANK");
  ::setenv("TENKAI_ALLOCATION", "0", 1);
}

}  // namespace
}  // namespace cli_agent

void add_agent_command(CLI::App& app, int& exit_code) {
  using namespace cli_agent;
  CLI::App* command =
      app.add_subcommand("agent", "Run R daemons on this machine for a dispatcher on another one");
  auto arguments = std::make_shared<Arguments>();
  command
      ->add_option(
          "--url", arguments->urls,
          "Where the dispatcher listens; one for all daemons, or one for each; else as the credential says")
      ->type_name("URL");
  command
      ->add_option("--credential", arguments->credential,
                   "What lets us in over the network: fd:N, stdin, or @FILE (mode 0600)")
      ->type_name("WHERE");
  command->add_flag("--manifest", arguments->has_manifest,
                    "Behind the credential stands the launch manifest, which says what each daemon runs");
  CLI::Option* rank =
      command->add_option("--rank", arguments->options.rank, "Which of a job's ranks this is, from 0")
          ->type_name("NUMBER")
          ->envname("TENKAI_RANK");
  command
      ->add_option("--tls", arguments->certificates,
                   "PEM file: certificates by which the dispatcher is known, instead of the credential's pin")
      ->type_name("FILE");
  command->add_option("--daemons", arguments->options.daemons, "How many R daemons to run")
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command->add_option("--rscript", arguments->options.rscript, "The program that runs R")
      ->type_name("PROGRAM")
      ->capture_default_str();
  command->add_flag("--output", arguments->options.output, "Show what the daemons print");
  command
      ->add_option("--autoexit", arguments->autoexit,
                   "When the dispatcher is gone: 1 end now, na finish the running task, 0 wait for another")
      ->capture_default_str()
      ->check(CLI::IsMember({"1", "na", "0"}));
  command
      ->add_option("--adopt-pid", arguments->adopt_pid,
                   "An R process that runs already (used by tenkai::daemon())")
      ->type_name("PROCESS");
  command->add_option("--adopt-fd", arguments->options.adopt_fd, "The inherited socket to that R")
      ->type_name("NUMBER");
  command->footer(
      "A launcher starts it on the other machine, by tenkai::agent() of the R package there.\n\n"
      "Example:\n"
      "  tenkai agent --url wss://login1:5555/1 --credential @key --daemons 2\n\n"
      "Exit codes:\n"
      "  0  the dispatcher needs no more daemons from here\n"
      "  1  it could not be reached, or did not let us in\n"
      "  2  the command line, the credential or the launch manifest cannot be used\n"
      "  N  that of R, where none stays up; or 128 and the signal that has ended the agent");
  command->callback([arguments, rank, &exit_code] {
    arguments->options.in_job = rank->count() > 0;
    find_job(arguments->options);
    exit_code = run(*arguments);
  });
}

}  // namespace tenkai
