#include "launcher/plugin/client_failure.h"

#include <cstdint>
#include <utility>

#include "base/text.h"

namespace tenkai::ssh {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }
bool starts(std::string_view text, std::string_view part) { return text.substr(0, part.size()) == part; }
bool ends(std::string_view text, std::string_view part) {
  return text.size() >= part.size() && text.substr(text.size() - part.size()) == part;
}

// What stands behind the last ": ".
std::string_view last_part(std::string_view line) {
  std::size_t colon = line.rfind(": ");
  return colon == line.npos ? line : line.substr(colon + 2);
}

// The word behind `before`.
std::string_view word_after(std::string_view text, std::string_view before) {
  std::size_t at = text.find(before);
  if (at == text.npos) return {};
  std::string_view rest = text.substr(at + before.size());
  return rest.substr(0, rest.find_first_of(" \r\n"));
}

Failure failure(FailureCause cause, std::string message) { return {cause, std::move(message)}; }

std::optional<Failure> judge_line(std::string_view line, std::string_view where,
                                  std::chrono::seconds timeout) {
  // "anna@node7: Permission denied (publickey,password)."
  if (has(line, ": Permission denied (") && ends(line, ")."))
    return failure(cause::auth_refused, sentence::auth_refused(where, last_part(line)));
  if (has(line, "Too many authentication failures") && has(line, "Received disconnect"))
    return failure(cause::auth_refused, sentence::auth_refused(where, "too many keys were tried"));
  if (starts(line, "ssh: Could not resolve hostname ")) {
    std::string_view host = line.substr(std::string_view("ssh: Could not resolve hostname ").size());
    return failure(cause::unknown_host,
                   sentence::unknown_host(host.substr(0, host.find(": ")), last_part(line)));
  }
  if (starts(line, "ssh: connect to host ") && ends(line, "timed out"))
    return failure(cause::unreachable, sentence::no_answer(where, timeout));
  if (starts(line, "ssh: connect to host "))
    return failure(cause::unreachable, sentence::unreachable(where, last_part(line)));
  if (has(line, "timed out during banner exchange") ||
      has(line, "during banner exchange: Connection timed out"))
    return failure(cause::unreachable, sentence::silent(where, timeout));
  if (starts(line, "kex_exchange_identification: ") || starts(line, "ssh_exchange_identification: "))
    return failure(cause::unreachable, sentence::unreachable(where, last_part(line)));
  if (has(line, "remote port forwarding failed for listen port "))
    return failure(cause::tunnel_port, sentence::tunnel_port(where, word_after(line, "listen port ")));
  return std::nullopt;
}

}  // namespace

std::optional<Failure> client_failure(std::string_view log, std::string_view where,
                                      std::chrono::seconds timeout) {
  // A jump host's failure comes before the host's own, which follows from it.
  if (has(log, "Host key verification failed.") || has(log, "REMOTE HOST IDENTIFICATION HAS CHANGED")) {
    if (has(log, "REMOTE HOST IDENTIFICATION HAS CHANGED"))
      return failure(cause::host_key, sentence::host_key_changed(where, word_after(log, "key in ")));
    return failure(cause::host_key, sentence::host_key_unknown(where, {}, 0));
  }
  for (std::string_view line : split(log, '\n')) {
    if (std::optional<Failure> judged = judge_line(trim(line), where, timeout)) return judged;
  }
  return std::nullopt;
}

bool is_turned_away(std::string_view log) {
  for (std::string_view line : split(log, '\n')) {
    line = trim(line);
    bool before_it_spoke =
        starts(line, "kex_exchange_identification: ") || starts(line, "ssh_exchange_identification: ");
    if (before_it_spoke && (ends(line, "Connection reset by peer") || ends(line, "closed by remote host")))
      return true;
  }
  return false;
}

bool is_lost_connection(std::string_view log) {
  for (std::string_view line : split(log, '\n')) {
    line = trim(line);
    if (starts(line, "Timeout, server ") || starts(line, "client_loop: ") ||
        starts(line, "packet_write_wait: "))
      return true;
    if (starts(line, "Connection to ") && (ends(line, "closed by remote host.") || ends(line, "closed.")))
      return true;
    if (starts(line, "Connection reset by ") || starts(line, "Read from remote host ")) return true;
  }
  return false;
}

namespace sentence {

std::string text(std::string_view a, std::string_view b) { return std::string(a) + std::string(b); }
std::string in_brackets(std::string_view detail) {
  return detail.empty() ? std::string() : " (" + printable(trim(detail)) + ")";
}

std::string auth_refused(std::string_view where, std::string_view detail) {
  return text(where, " did not let us in") + in_brackets(detail) +
         ": check the user's name, and that `ssh` to it works without a password";
}
std::string host_key_unknown(std::string_view where, std::string_view host, std::uint16_t port,
                             std::string_view alias, std::string_view file) {
  std::string how = "; connect once by hand with ssh, and compare the fingerprint that it shows";
  if (!host.empty()) {
    how += ", or take the key from `ssh-keyscan " + (port == 22 ? "" : "-p " + std::to_string(port) + " ") +
           std::string(host) + "` into " + (file.empty() ? "~/.ssh/known_hosts" : std::string(file));
  }
  if (!host.empty() && !alias.empty())
    how +=
        ", with '" + printable(alias, 100) + "' in place of the name in front, because HostKeyAlias says so";
  return text("the key of ", where) + " is not known" + how;
}
std::string host_key_changed(std::string_view where, std::string_view detail) {
  return text("the key of ", where) + " is not the one that is known" + in_brackets(detail) +
         ": either somebody stands between, or the host was set up anew; ask who runs it, then remove the "
         "old key "
         "with ssh-keygen -R";
}
std::string unknown_host(std::string_view host, std::string_view detail) {
  return text("there is no address for the host name ", printable(host)) + in_brackets(detail) +
         ": check its spelling";
}
std::string silent(std::string_view where, std::chrono::seconds timeout) {
  return text(where, " took the connection but did not speak SSH within ") + std::to_string(timeout.count()) +
         " s: check the port, and whether the host hangs";
}
std::string no_answer(std::string_view where, std::chrono::seconds timeout) {
  return text(where, " did not answer within ") + std::to_string(timeout.count()) +
         " s: check that it is up, and that no firewall stands between";
}
std::string unreachable(std::string_view where, std::string_view detail) {
  return text(where, " could not be reached") + in_brackets(detail) +
         ": check host and port, and that its SSH server runs";
}
std::string tunnel_port(std::string_view where, std::string_view port) {
  return text("port ", port) + " of the tunnel is taken on " + std::string(where) +
         ", or its SSH server forbids forwarding: choose another port in the URL";
}
std::string lost(std::string_view where, std::string_view detail) {
  return text("the connection to ", where) + " was lost" + in_brackets(detail);
}

}  // namespace sentence

}  // namespace tenkai::ssh
