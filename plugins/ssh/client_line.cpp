#include "plugins/ssh/client_line.h"

#include <cstdint>

#include "base/text.h"
#include "launcher/template/shell.h"

namespace tenkai::ssh {
namespace {

using Words = std::vector<std::string>;

std::string program_of(const SshRequest& request) { return request.client.empty() ? "ssh" : request.client; }

std::string destination(const Remote& remote) {
  return remote.user.empty() ? remote.host : remote.user + "@" + remote.host;
}

// shell_quote() is wary of '=', which within a word no shell minds.
std::string readable_word(const std::string& word) {
  bool is_option = word.find('=') != word.npos && word.find('=') != 0;
  std::string without = word;
  if (is_option) without.erase(without.find('='), 1);
  return shell_quote(without) == without ? word : shell_quote(word);
}

void add(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

// What is run names the address to listen on: by "localhost" a server is content with
// either of 127.0.0.1 and ::1, and the other may lead to somebody else.
void add_forwards(Words& words, const std::vector<std::uint16_t>& ports, const std::string& listen) {
  if (ports.empty()) return;
  add(words, {"-o", "ExitOnForwardFailure=yes"});
  for (std::uint16_t port : ports) {
    std::string text = std::to_string(port);
    add(words, {"-R", listen + text + ":localhost:" + text});
  }
}

void add_place(Words& words, const SshRequest& request) {
  if (!request.config.empty()) add(words, {"-F", request.config});
  add(words, request.client_args);
  if (request.remote.port != 0) add(words, {"-p", std::to_string(request.remote.port)});
}

}  // namespace

std::string client_line(const SshRequest& request, const std::vector<std::string>& command) {
  Words words{program_of(request), "-T", "-o", "ConnectTimeout=" + std::to_string(request.timeout.count())};
  add_forwards(words, request.ports, "");
  add_place(words, request);
  std::string text = shell_command(command);
  // ssh goes on looking for options behind the host.
  if (text.substr(0, 1) == "-") words.emplace_back("--");
  words.push_back(destination(request.remote));
  for (std::string& word : words) word = readable_word(word);
  words.push_back(sh_word(text));
  return join(words, " ");
}

std::vector<std::string> client_argv(const SshRequest& request, const std::vector<std::uint16_t>& ports,
                                     const std::string& command) {
  Words words{program_of(request), "-T"};
  // There is nobody to ask, and a peer that has gone silent is to be noticed.
  add(words, {"-o", "BatchMode=yes", "-o", "ConnectTimeout=" + std::to_string(request.timeout.count()), "-o",
              "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2"});
  add_forwards(words, ports, "127.0.0.1:");
  add_place(words, request);
  add(words, {"--", destination(request.remote), command});
  return words;
}

std::vector<std::string> settings_argv(const SshRequest& request) {
  Words words{"ssh", "-G"};
  if (!request.config.empty()) add(words, {"-F", request.config});
  if (request.remote.port != 0) add(words, {"-p", std::to_string(request.remote.port)});
  add(words, {"--", destination(request.remote)});
  return words;
}

}  // namespace tenkai::ssh
