#include "launcher/plugin/failure.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <initializer_list>

#include "base/text.h"
#include "base/version.h"
#include "process/r_log.h"

namespace tenkai {
namespace {

// In the order of the enum.
constexpr std::string_view words[] = {
    "",
    "auth_refused",
    "host_key",
    "unknown_host",
    "unreachable",
    "rscript_missing",
    "package_missing",
    "program_missing",
    "version",
    "url_unreachable",
    "tunnel_port",
    "refused",
    "command_missing",
    "submit_refused",
    "submit_limit",
    "cannot_start",
    "spawn_refused",
    "slurm_unreachable",
    "module_missing",
    "time_limit",
    "oom",
    "node_fail",
    "preempted",
    "job_cancelled",
    "requeued",
    "folder_missing",
    "exited",
    "killed",
    "plugin",
    "cancelled",
    "unknown",
};
static_assert(std::size(words) == static_cast<std::size_t>(cause::unknown) + 1);

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

bool in_name(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || c == '_' || c == '-' || c == '.' || c == '/';
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [text](std::string_view each) { return text.starts_with(each); });
}

// What stands behind a program's name, if that it is missing.
bool is_lament(std::string_view rest) {
  for (std::string_view quote : {"'", "\"", "`", "\xE2\x80\x99"}) {
    if (rest.starts_with(quote)) rest.remove_prefix(quote.size());
  }
  return starts_with_any(rest, {": not found", ": command not found", ": Command not found",
                                ": No such file or directory", ": executable file not found"});
}

// Shells say it in their ways: "sh: 1: Rscript: not found", "bash: line 1: Rscript:
// command not found", "Rscript: Command not found." (csh, which ends with 1), "zsh:1:
// command not found: Rscript", "env: ‘Rscript’: No such file or directory". Others
// speak of a script for R, or of a library that Rscript does not find.
bool says_not_found(std::string_view log, std::string_view program) {
  for (std::string_view line : split(log, '\n')) {
    line = trim(line);
    for (std::size_t at = line.find(program); at != line.npos; at = line.find(program, at + 1)) {
      std::string_view before = line.substr(0, at);
      std::string_view rest = line.substr(at + program.size());
      if (!before.empty() && in_name(before.back())) continue;
      if (is_lament(rest) || (rest.empty() && before.ends_with("command not found: "))) return true;
    }
  }
  return false;
}

std::optional<Failure> missing_r(const CommandEnd& end) {
  std::string program = end.rscript.empty() ? "Rscript" : end.rscript;
  if (!says_not_found(end.log, program)) return std::nullopt;
  return Failure{cause::rscript_missing,
                 "'" + program + "' was not found" + on(end) +
                     ": is R installed there, and in the PATH of a shell that is not interactive? "
                     "rscript = \"/path/of/Rscript\" names it"};
}

std::optional<Failure> missing_package(const CommandEnd& end) {
  if (!misses_package(end.log)) return std::nullopt;
  return Failure{cause::package_missing, "the R package tenkai is not installed" + on(end) +
                                             ", or not in a library that R looks at there; install tenkai " +
                                             std::string(program_version)};
}

std::optional<Failure> missing_program(const CommandEnd& end) {
  if (!has(end.log, "the program 'tenkai' was not found")) return std::nullopt;
  return Failure{cause::program_missing,
                 "the R package tenkai is installed" + on(end) +
                     ", but not its program: install it there and set TENKAI_BIN, or install the package "
                     "again with TENKAI_PREFIX"};
}

std::optional<Failure> other_version(const CommandEnd& end) {
  for (std::string_view sign : {"install the same version on both sides", "install the same version of both",
                                "install both from the same release"}) {
    std::string line = line_with(end.log, sign);
    if (line.empty()) continue;
    return Failure{cause::version, "another version of tenkai is installed" + on(end) + ": " +
                                       without(without(line, "tenkai agent: "), "Error: ")};
  }
  if (!has(end.log, "is not an exported object from 'namespace:tenkai'")) return std::nullopt;
  return Failure{cause::version, "the R package tenkai is older" + on(end) + ": install " +
                                     std::string(program_version) + " there"};
}

// Others cannot connect either: to an X server, to a controller.
std::string failed_dial(std::string_view log) {
  for (std::string_view scheme : {"tcp://", "tls+tcp://", "ws://", "wss://", "ipc://", "abstract://"}) {
    std::string line = line_with(log, "cannot connect to " + std::string(scheme));
    if (!line.empty()) return line;
  }
  return line_with(log, "but no WELCOME came");
}

std::optional<Failure> no_way_back(const CommandEnd& end) {
  std::string line = failed_dial(end.log);
  if (line.empty()) return std::nullopt;
  return Failure{cause::url_unreachable,
                 "the daemon was started" + on(end) + ", but cannot reach the dispatcher from there: " +
                     without(without(line, "tenkai agent: "), "Error: ") +
                     "; a firewall, or the wrong address? host_url(host =) chooses another one, "
                     "ssh_config(tunnel = TRUE) needs none"};
}

std::optional<Failure> not_let_in(const CommandEnd& end) {
  for (std::string_view sign :
       {"this credential, for ", "this credential is not known", "this credential has expired",
        "does not know this credential", "no credential from fd:", "no credential from stdin",
        "no credential from @", "needs a credential; launch_remote()", "is taken by another daemon",
        "Permission denied: a daemon"}) {
    std::string line = line_with(end.log, sign);
    if (line.empty()) continue;
    return Failure{cause::refused, "the daemon was started" + on(end) + ", but not let in: " +
                                       without(without(line, "tenkai agent: "), "Error: ")};
  }
  return std::nullopt;
}

// A job of a batch system finds its credential in a folder that all machines must see.
std::optional<Failure> folder_missing(const CommandEnd& end) {
  std::string line = line_with(end.log, "no credential from @");
  if (line.empty() || !has(line, "No such file or directory")) return std::nullopt;
  return Failure{cause::folder_missing,
                 "the daemon was started" + on(end) + ", but does not see the session's folder: " +
                     without(without(line, "tenkai agent: "), "Error: ") +
                     ". Set XDG_CACHE_HOME to a folder that this machine shares with the others"};
}

std::string last_lines(const CommandEnd& end) {
  std::string_view log = trim(end.log);
  if (!log.empty()) return "; its last lines:\n" + std::string(log);
  // Rscript -e ends so, without a word on its standard error.
  bool may_be_full = end.exit_code == 0 || end.exit_code == 2;
  return std::string("; it wrote nothing") +
         (may_be_full ? " (R ends like this where its temporary folder, TMPDIR or /tmp, is full)" : "");
}

// `who` has ended, `when`: "the command", " before its daemons had joined".
Failure by_status(const CommandEnd& end, const std::string& who, const std::string& when) {
  std::string last = last_lines(end);
  if (end.signal) {
    return {cause::killed, who + " was killed" + on(end) + " by signal " + std::to_string(*end.signal) +
                               " (" + ::strsignal(*end.signal) + ")" + when + last};
  }
  if (!end.exit_code)
    return {cause::unknown, who + " has ended" + on(end) + when + ", nobody knows how" + last};
  return {cause::exited,
          who + " ended" + on(end) + " with exit code " + std::to_string(*end.exit_code) + when + last};
}

// What is missing there could have come along, and the job says why it did not.
std::string why_not_brought(const CommandEnd& end) {
  std::string line = line_with(end.log, not_brought_along);
  std::size_t at = line.find(not_brought_along);
  return at == line.npos ? "" : "; " + printable(line.substr(at), 700);
}

std::optional<Failure> by_log(const CommandEnd& end) {
  static constexpr std::array judges{missing_r,   missing_package, missing_program, other_version,
                                     no_way_back, folder_missing,  not_let_in};
  for (auto each : judges) {
    std::optional<Failure> failure = each(end);
    if (!failure) continue;
    if (each == missing_package || each == missing_program || each == other_version)
      failure->message += why_not_brought(end);
    return failure;
  }
  return std::nullopt;
}

bool in_credential(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || c == '_' || c == '-';
}

}  // namespace

std::string_view name_of(FailureCause cause) { return words[static_cast<std::size_t>(cause)]; }

std::optional<FailureCause> cause_named(std::string_view word) {
  const auto* found = std::find(std::begin(words), std::end(words), word);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<FailureCause>(found - std::begin(words));
}

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
  std::optional<Failure> known = by_log(end);
  return known ? *known : by_status(end, "the command", " before its daemons had joined");
}

Failure judge_worker(const CommandEnd& end) {
  std::string name = end.rscript.substr(end.rscript.rfind('/') + 1);
  if (!end.rscript.empty() && says_not_found(end.log, end.rscript)) {
    return {name == "Rscript" || name == "R" ? cause::rscript_missing : cause::exited,
            "'" + end.rscript + "' was not found" + on(end) +
                ": is it installed there, and in the PATH of jobs? environment.modules or "
                "environment.prologue of the profile can bring it"};
  }
  std::string line = line_with(end.log, "there is no package called");
  if (!line.empty()) {
    return {cause::package_missing, "an R package is not installed" + on(end) +
                                        ", or not in a library that R looks at there: " + line +
                                        "; environment.lib-paths of the profile names one"};
  }
  return by_status(end, "it", "");
}

Failure judge_r(const CommandEnd& end, std::uint64_t starts) {
  // What a task has written may look like anything.
  std::optional<Failure> known = starts > 0 ? by_log(end) : std::nullopt;
  if (known) return *known;
  std::string how = end.exit_code ? "ended" : end.signal ? "was killed" : "has ended";
  how += on(end);
  if (end.exit_code) how += " with exit code " + std::to_string(*end.exit_code);
  else if (end.signal) how += " by signal " + std::to_string(*end.signal);
  if (starts > 1) how += ", " + std::to_string(starts) + " times in a row";
  how += starts > 0 ? " before it was ready" : ", again and again with nothing done";
  return {end.signal ? cause::killed : cause::exited, "its R " + how + last_lines(end)};
}

}  // namespace tenkai
