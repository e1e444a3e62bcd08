// Asks the network and the machines that SSH reaches.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "base/path.h"
#include "base/text.h"
#include "base/url.h"
#include "base/version.h"
#include "launcher/doctor/address_checks.h"
#include "launcher/doctor/ssh_checks.h"
#include "launcher/doctor/topics.h"
#include "launcher/plugin/environment_command.h"
#include "launcher/profile/value.h"
#include "launcher/template/shell.h"
#include "process/own_path.h"

namespace tenkai::doctor {
namespace {

constexpr std::chrono::seconds name_limit{3};
constexpr std::chrono::seconds client_limit{3};
constexpr std::chrono::seconds most_of_connecting{5};
// Connecting, and R there.
constexpr std::chrono::seconds host_limit{20};
constexpr std::size_t most_ports = 100;
constexpr std::size_t most_hosts = 50;

std::string option_of(const Deployment::Options& options, const std::string& name) {
  auto found = options.find(name);
  return found == options.end() || found->second.empty() ? "" : found->second.front();
}

// --- addresses ---

// Whether somebody listens there already; no, where that cannot be told.
bool is_busy(const std::string& host, std::uint16_t port) {
  Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return false;
  int yes = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  // What a name stands for, and IPv6, only listening itself finds out.
  if (host.empty()) address.sin_addr.s_addr = INADDR_ANY;
  else if (::inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return false;
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == EADDRINUSE;
}

void try_ports(const Url& url, const Deployment& deployment, Addresses& addresses) {
  PortRange range{url.port, url.port};
  if (url.port == 0) range = parse_ports(deployment.ports).value_or(PortRange());
  if (range.first == 0) return;
  for (std::uint32_t port = range.first; port <= range.last && addresses.tried.size() < most_ports; ++port) {
    addresses.tried.push_back(std::to_string(port));
    if (is_busy(url.host, static_cast<std::uint16_t>(port))) addresses.busy.push_back(addresses.tried.back());
  }
}

std::vector<std::string> first_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view line : split(text, '\n')) {
    std::string word(line.substr(0, line.find(' ')));
    if (!word.empty() && (words.empty() || words.back() != word)) words.push_back(std::move(word));
  }
  return words;
}

// --- SSH ---

std::vector<std::string> client_words(const Deployment& deployment) {
  std::string client = option_of(deployment.options, "client");
  std::vector<std::string> words = {client.empty() ? "ssh" : client};
  if (std::string config = option_of(deployment.options, "config"); !config.empty())
    words.insert(words.end(), {"-F", config});
  return words;
}

// Each once.
std::vector<std::string> remotes_of(const Deployment& deployment) {
  std::vector<std::string> remotes;
  for (const Deployment::Options& each : deployment.each) {
    std::string remote = option_of(each, "remote");
    bool is_new = std::find(remotes.begin(), remotes.end(), remote) == remotes.end();
    if (is_new && !remote.starts_with('-')) remotes.push_back(remote);
  }
  return remotes;
}

// What of the identity files is there.
std::vector<std::string> keys_of(const Answer& settings) {
  std::vector<std::string> keys;
  const char* home = std::getenv("HOME");
  for (const auto& [key, value] : parse_ssh_settings(settings.output)) {
    if (key != "identityfile") continue;
    std::string path = value.starts_with("~/") && home != nullptr ? home + value.substr(1) : value;
    if (exists(path)) keys.push_back(path);
  }
  return keys;
}

Result<std::string> there_command(const Deployment& deployment) {
  LaunchRequest request;
  request.options = deployment.options;
  Result<std::vector<std::string>> command =
      in_environment({deployment.rscript, "-e", r_report_call()}, request);
  if (!command) return command.error();
  return ssh_report_command(shell_command(*command));
}

Question connection(std::vector<std::string> words, const std::string& remote, std::chrono::seconds timeout,
                    const std::string& command) {
  words.insert(words.end(), {"-T", "-o", "BatchMode=yes", "-o",
                             "ConnectTimeout=" + std::to_string(timeout.count()), "--", remote, command});
  Question question{std::move(words)};
  question.in_turn = true;
  question.limit = host_limit;
  return question;
}

SshHost host_of(const Patient& patient, const std::string& remote, std::chrono::seconds timeout) {
  SshHost host;
  host.remote = remote;
  const Value* remotes = patient.profile->find("ssh.remotes");
  host.place = remotes == nullptr ? "the profile" : to_string(remotes->place);
  host.timeout = timeout;
  host.limit = host_limit;
  host.begun = static_cast<double>(std::time(nullptr));
  host.rscript = patient.deployment->rscript;
  host.brings = option_of(patient.deployment->options, "bring") != "0";
  host.own_version = program_version;
  Result<Url> url = parse_url(patient.deployment->url);
  bool has_tunnel = option_of(patient.deployment->options, "tunnel") == "1";
  if (has_tunnel && url && url->port != 0) host.tunnel.push_back(url->port);
  return host;
}

}  // namespace

Topic address_topic(const Patient& patient) {
  if (patient.deployment == nullptr || patient.deployment->url.empty()) return {{}, {}};
  Result<Url> url = parse_url(patient.deployment->url);
  if (!url || !is_network(*url)) return {{}, {}};
  Addresses addresses;
  addresses.url = patient.deployment->url;
  addresses.is_remote = !patient.launcher().empty() || !patient.deployment->here;
  addresses.through_tunnel = option_of(patient.deployment->options, "tunnel") == "1";
  addresses.own = own_addresses();
  addresses.is_own_name = url->host.empty();
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  addresses.name = addresses.is_own_name ? name : url->host;
  try_ports(*url, *patient.deployment, addresses);
  Question question{{"getent", "ahosts", addresses.name}};
  question.limit = name_limit;
  return {{question}, [addresses](const std::vector<Answer>& answers) mutable {
            addresses.found = first_words(answers.front().output);
            return judge_addresses(addresses);
          }};
}

Topic ssh_topic(const Patient& patient) {
  if (patient.launcher() != "ssh") return {{}, {}};
  std::vector<std::string> words = client_words(*patient.deployment);
  auto client = std::make_shared<SshClient>();
  client->missing = words.front().find('/') == std::string::npos && !is_in_path(words.front());
  if (client->missing)
    return {{}, [client](const std::vector<Answer>&) { return judge_ssh_client(*client); }};
  Result<std::string> command = there_command(*patient.deployment);
  if (!command) {
    Check refused = wrong("ssh.environment", "environment of the profile", command.error().message,
                          "tenkai profile show " + shell_quote(patient.profile->name));
    return {{}, [refused](const std::vector<Answer>&) { return Checks{refused}; }};
  }
  auto asked = to_number<int>(option_of(patient.deployment->options, "timeout")).value_or(10);
  std::chrono::seconds timeout = std::min(std::chrono::seconds(asked), most_of_connecting);
  Topic topic;
  topic.questions = {{{words.front(), "-V"}}, {{"ssh-add", "-l"}}};
  std::vector<SshHost> hosts;
  std::vector<std::string> remotes = remotes_of(*patient.deployment);
  for (const std::string& remote : remotes) {
    if (hosts.size() == most_hosts) break;
    hosts.push_back(host_of(patient, remote, timeout));
    Question settings{words};
    settings.argv.insert(settings.argv.end(), {"-G", "--", remote});
    topic.questions.push_back(settings);
    topic.questions.push_back(connection(words, remote, timeout, *command));
  }
  for (Question& each : topic.questions)
    if (each.limit < host_limit) each.limit = client_limit;
  Checks left_out;
  if (remotes.size() > hosts.size())
    left_out.push_back(
        skipped("ssh.reach", "machines", "only the first " + std::to_string(hosts.size()) + " are tried"));
  topic.judge = [client, hosts, left_out](const std::vector<Answer>& answers) mutable {
    client->version = trim(answers[0].errors + answers[0].output);
    client->agent = answers[1];
    Checks checks = judge_ssh_client(*client);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      hosts[i].settings = answers[2 + 2 * i];
      hosts[i].answer = answers[3 + 2 * i];
      hosts[i].keys = keys_of(hosts[i].settings);
      hosts[i].ended = static_cast<double>(std::time(nullptr));
      add(checks, judge_ssh_host(hosts[i], *client));
    }
    add(checks, left_out);
    return checks;
  };
  return topic;
}

}  // namespace tenkai::doctor
