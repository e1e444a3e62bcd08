#include "launcher/doctor/ssh_checks.h"

#include <algorithm>
#include <cstdio>

#include "base/counted.h"
#include "base/text.h"
#include "launcher/doctor/clock_check.h"
#include "launcher/plugin/client_failure.h"
#include "launcher/template/shell.h"

namespace tenkai::doctor {
namespace {

std::string one_of(const std::multimap<std::string, std::string>& settings, const std::string& key) {
  auto found = settings.find(key);
  return found == settings.end() ? "" : found->second;
}

bool agent_has_keys(const SshClient& client) { return client.agent.is_good(); }

bool has_only_rsa(const SshHost& host) {
  return !host.keys.empty() && std::ranges::all_of(host.keys, [](const std::string& key) {
    return key.find("rsa", key.rfind('/') + 1) != key.npos;
  });
}

std::string mend_login(const SshHost& host, const SshClient& client) {
  std::string remote = shell_quote(host.remote);
  if (host.keys.empty() && !agent_has_keys(client))
    return "ssh-keygen -t ed25519, then ssh-copy-id " + remote +
           "; you have no key, and no agent that has one";
  if (has_only_rsa(host))
    return "ssh-keygen -t ed25519, then ssh-copy-id " + remote +
           ": you have RSA keys alone, which some servers do not take";
  return "ssh-copy-id " + remote + ", or ssh-add where the key has a passphrase";
}

std::string mend_for(FailureCause cause, const SshHost& host, const SshClient& client) {
  auto settings = parse_ssh_settings(host.settings.output);
  std::string name = one_of(settings, "hostname");
  std::string port = one_of(settings, "port");
  if (cause == cause::auth_refused) return mend_login(host, client);
  if (cause == cause::host_key)
    return "ssh " + shell_quote(host.remote) + " once by hand, and compare the fingerprint (ssh-keyscan -p " +
           port + " " + name + " | ssh-keygen -lf - shows it)";
  if (cause == cause::unknown_host) return "change ssh.remotes in " + host.place;
  return "ssh -v " + shell_quote(host.remote) + " true shows how far it comes";
}

Check judge_reach(const SshHost& host, const SshClient& client) {
  std::string what = host.remote;
  auto settings = parse_ssh_settings(host.settings.output);
  std::string jump = one_of(settings, "proxyjump");
  if (jump == "none") jump.clear();
  std::string through = jump.empty() ? "" : " through " + jump;
  if (read_report(host.answer.output).contains("reached")) {
    std::string by = has_only_rsa(host) && !agent_has_keys(client) ? ", by an RSA key" : "";
    return ok("ssh.reach", what, "lets us in" + through + by);
  }
  auto failure = ssh::client_failure(host.answer.errors, what, host.timeout);
  if (failure)
    return wrong("ssh.reach", what,
                 failure->message + (jump.empty() ? "" : " (it is reached" + through + ")"),
                 mend_for(failure->cause, host, client));
  return wrong("ssh.reach", what, "the connection " + trouble_of(host.answer, host.limit) + through,
               mend_for(cause::unknown, host, client));
}

// Lines of /proc/net/tcp, of sockets that listen: "0100007F:1F90", blanks between.
bool is_taken(const std::string& listening, std::uint16_t port) {
  char text[8];
  std::snprintf(text, sizeof text, ":%04X", static_cast<unsigned>(port));
  return std::ranges::any_of(split(listening, ' '),
                             [&text](std::string_view each) { return each.ends_with(text); });
}

Checks judge_tunnel(const SshHost& host, const std::string& listening) {
  Checks checks;
  for (std::uint16_t port : host.tunnel) {
    std::string what = "port " + std::to_string(port) + " on " + host.remote;
    if (is_taken(listening, port))
      checks.push_back(
          wrong("ssh.tunnel", what, "is taken there, and the tunnel needs it",
                "let the profile's url have another port, or 0 (ss -ltn there shows those taken)"));
    else checks.push_back(ok("ssh.tunnel", what, "is free for the tunnel"));
  }
  return checks;
}

}  // namespace

std::multimap<std::string, std::string> parse_ssh_settings(std::string_view text) {
  std::multimap<std::string, std::string> settings;
  for (std::string_view line : split(text, '\n')) {
    std::size_t blank = line.find(' ');
    if (blank == line.npos) continue;
    settings.emplace(std::string(line.substr(0, blank)), std::string(trim(line.substr(blank + 1))));
  }
  return settings;
}

Checks judge_ssh_client(const SshClient& client) {
  if (client.missing)
    return {skipped("ssh.client", "ssh",
                    "there is no such program here; tenkai may connect by a library of its "
                    "own, whose connections are not tried here")};
  Checks checks = {ok("ssh.client", "ssh", printable(client.version, 80))};
  std::string what = "agent of SSH";
  if (agent_has_keys(client)) {
    auto lines = split(trim(client.agent.output), '\n');
    checks.push_back(ok("ssh.agent", what, "has " + counted(lines.size(), "key")));
  } else {
    checks.push_back(ok("ssh.agent", what, client.agent.exit_code == 1 ? "has no key" : "there is none"));
  }
  return checks;
}

Checks judge_ssh_host(const SshHost& host, const SshClient& client) {
  Checks checks = {judge_reach(host, client)};
  if (checks.front().state == State::wrong) return checks;
  auto said = read_report(host.answer.output);
  checks.push_back(
      judge_clock("ssh.clock", "clock of " + host.remote, said["seconds"], host.begun, host.ended));
  add(checks, judge_tunnel(host, said["listening"]));
  if (said["temporary"] == "no")
    checks.push_back(wrong("ssh.folder", "temporary folder on " + host.remote, "nothing can be written there",
                           "make room there, or set TMPDIR in environment.variables of the profile"));
  RReport report;
  report.id = "ssh.r";
  report.rscript = host.rscript;
  report.where = " on " + host.remote;
  report.answer = host.answer;
  report.limit = host.limit;
  report.is_brought = host.brings;
  report.own_version = host.own_version;
  report.install = "R CMD INSTALL the package tenkai " + host.own_version + " on " + host.remote +
                   ", or set environment.lib-paths of the profile to where it is there";
  add(checks, judge_r(report));
  return checks;
}

std::string ssh_report_command(const std::string& command) {
  std::string script =
      "echo; echo @reached=yes; echo @seconds=$(date +%s)\n"
      "echo @listening=$(awk '$4 == \"0A\" {print $2}' /proc/net/tcp /proc/net/tcp6 2>/dev/null)\n"
      "f=${TMPDIR:-/tmp}/tenkai-doctor-$$; if (umask 077 && echo x >\"$f\") 2>/dev/null; then rm -f \"$f\"; "
      "echo "
      "@temporary=yes; else echo @temporary=no; fi\n";
  return shell_command({"sh", "-c", script + "exec " + command});
}

}  // namespace tenkai::doctor
