#include "launcher/failure.h"

#include <array>
#include <csignal>
#include <cstring>

#include "base/text.h"
#include "base/version.h"

namespace tenkai {
namespace {

bool has(std::string_view text, std::string_view piece) { return text.find(piece) != text.npos; }

// The line of the log in which something stands; empty: none does.
std::string line_with(std::string_view log, std::string_view piece) {
  for (std::string_view line : split(log, '\n')) {
    if (has(line, piece)) return std::string(trim(line));
  }
  return {};
}

std::string without(std::string line, std::string_view prefix) {
  if (line.rfind(prefix, 0) == 0) line.erase(0, prefix.size());
  return line;
}

std::string on(const CommandEnd& end) { return end.where.empty() ? "" : " on " + end.where; }

// Shells say it in their ways: "sh: 1: Rscript: not found", "bash: line 1: Rscript:
// command not found", "Rscript: Command not found." (csh, which ends with 1), "env:
// ‘Rscript’: No such file or directory".
bool says_not_found(std::string_view log, std::string_view program) {
  for (std::string_view line : split(log, '\n')) {
    bool missing = has(line, "not found") || has(line, "Not found") || has(line, "No such file or directory");
    if (missing && has(line, program)) return true;
  }
  return false;
}

std::optional<Failure> missing_r(const CommandEnd& end) {
  std::string program = end.rscript.empty() ? "Rscript" : end.rscript;
  if (!says_not_found(end.log, program)) return std::nullopt;
  return Failure{std::string(cause::rscript_missing),
                 "'" + program + "' was not found" + on(end) +
                     ": is R installed there, and in the PATH of a shell that is not interactive? "
                     "rscript = \"/path/of/Rscript\" names it"};
}

// R says it in the language of the user: what stays is who says it, and of what.
std::optional<Failure> missing_package(const CommandEnd& end) {
  bool english = has(end.log, "there is no package called") && has(end.log, "tenkai");
  bool other = has(end.log, "loadNamespace") && has(end.log, "\xE2\x80\x98tenkai\xE2\x80\x99");
  if (!english && !other) return std::nullopt;
  return Failure{std::string(cause::package_missing),
                 "the R package tenkai is not installed" + on(end) +
                     ", or not in a library that R looks at there; install tenkai " +
                     std::string(program_version)};
}

std::optional<Failure> missing_program(const CommandEnd& end) {
  if (!has(end.log, "the program 'tenkai' was not found")) return std::nullopt;
  return Failure{std::string(cause::program_missing),
                 "the R package tenkai is installed" + on(end) +
                     ", but not its program: install it there and set TENKAI_BIN, or install the package "
                     "again with TENKAI_PREFIX"};
}

std::optional<Failure> other_version(const CommandEnd& end) {
  for (std::string_view sign : {"install the same version on both sides", "install the same version of both",
                                "install both from the same release"}) {
    std::string line = line_with(end.log, sign);
    if (line.empty()) continue;
    return Failure{std::string(cause::version), "another version of tenkai is installed" + on(end) + ": " +
                                                    without(without(line, "tenkai agent: "), "Error: ")};
  }
  if (!has(end.log, "is not an exported object from 'namespace:tenkai'")) return std::nullopt;
  return Failure{std::string(cause::version), "the R package tenkai is older" + on(end) + ": install " +
                                                  std::string(program_version) + " there"};
}

std::optional<Failure> no_way_back(const CommandEnd& end) {
  std::string line = line_with(end.log, "cannot connect to ");
  if (line.empty()) line = line_with(end.log, "but no WELCOME came");
  if (line.empty()) return std::nullopt;
  return Failure{std::string(cause::url_unreachable),
                 "the daemon was started" + on(end) + ", but cannot reach the dispatcher from there: " +
                     without(without(line, "tenkai agent: "), "Error: ") +
                     "; a firewall, or the wrong address? host_url(host =) chooses another one, "
                     "ssh_config(tunnel = TRUE) needs none"};
}

std::optional<Failure> not_let_in(const CommandEnd& end) {
  for (std::string_view sign : {"this credential", "no credential from", "needs a credential",
                                "is taken by another daemon", "Permission denied: a daemon"}) {
    std::string line = line_with(end.log, sign);
    if (line.empty()) continue;
    return Failure{std::string(cause::refused), "the daemon was started" + on(end) + ", but not let in: " +
                                                    without(without(line, "tenkai agent: "), "Error: ")};
  }
  return std::nullopt;
}

Failure by_status(const CommandEnd& end) {
  std::string_view log = trim(end.log);
  std::string last = log.empty() ? "; it wrote nothing" : "; its last lines:\n" + std::string(log);
  if (end.signal) {
    return {std::string(cause::killed), "the command was killed" + on(end) + " by signal " +
                                            std::to_string(*end.signal) + " (" + ::strsignal(*end.signal) +
                                            ") before its daemons had joined" + last};
  }
  if (!end.exit_code) {
    return {std::string(cause::unknown),
            "the command has ended" + on(end) + " before its daemons had joined, nobody knows how" + last};
  }
  return {std::string(cause::exited), "the command ended" + on(end) + " with exit code " +
                                          std::to_string(*end.exit_code) + " before its daemons had joined" +
                                          last};
}

bool in_credential(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || c == '_' || c == '-';
}

}  // namespace

std::string redacted(std::string text) {
  static constexpr std::string_view beginning = "dGVua2Fp";  // see wire/credential.h
  static constexpr std::string_view instead = "<credential>";
  for (std::size_t at = text.find(beginning); at != text.npos;
       at = text.find(beginning, at + instead.size())) {
    std::size_t end = at;
    while (end < text.size() && in_credential(text[end])) ++end;
    text.replace(at, end - at, instead);
  }
  return text;
}

Failure judge(const CommandEnd& end) {
  static constexpr std::array judges{missing_r,     missing_package, missing_program,
                                     other_version, no_way_back,     not_let_in};
  for (auto each : judges) {
    if (std::optional<Failure> failure = each(end)) return *failure;
  }
  return by_status(end);
}

}  // namespace tenkai
