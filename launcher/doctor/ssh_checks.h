// What a machine that SSH reaches says, and why one cannot be reached.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/doctor/question.h"
#include "launcher/doctor/r_report.h"

namespace tenkai::doctor {

// `ssh -G`: values by their keys, in small letters; a key may come again.
std::multimap<std::string, std::string> parse_ssh_settings(std::string_view text);

struct SshHost {
  std::string remote;  // as the profile says it
  std::string place;   // where it says so
  Answer settings;     // of ssh -G
  Answer answer;       // of the connection
  std::chrono::seconds timeout{10};
  std::chrono::milliseconds limit{0};  // of the answer
  std::vector<std::string> keys;       // of the settings' identity files, those that are there
  double begun = 0, ended = 0;         // our clock, before the connection and after it, in seconds
  std::vector<std::uint16_t> tunnel;   // ports that are forwarded from there
  std::string rscript;
  bool brings = false;  // what is missing there
  std::string own_version;
};
struct SshClient {
  bool missing = false;
  std::string version;
  Answer agent;  // of ssh-add -l
};

// ssh.client, ssh.agent.
Checks judge_ssh_client(const SshClient& client);
// ssh.reach, ssh.clock, ssh.tunnel, ssh.folder, ssh.r and what follows from it.
Checks judge_ssh_host(const SshHost& host, const SshClient& client);

// What is run there by its login shell: says the clock, ports that are taken and folders, then becomes
// `command`.
std::string ssh_report_command(const std::string& command);

}  // namespace tenkai::doctor
