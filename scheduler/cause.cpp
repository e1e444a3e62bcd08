#include "scheduler/cause.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <numeric>
#include <optional>

namespace tenkai {
namespace {

struct KindName {
  Cause::Kind kind;
  std::string_view name;
};

constexpr KindName kind_names[] = {
    {Cause::Kind::killed, "killed"},
    {Cause::Kind::lost, "lost"},
    {Cause::Kind::preempted, "preempted"},
    {Cause::Kind::node_fail, "node_fail"},
    {Cause::Kind::time_limit, "time_limit"},
    {Cause::Kind::job_cancelled, "job_cancelled"},
    {Cause::Kind::oom, "oom"},
    {Cause::Kind::segfault, "segfault"},
    {Cause::Kind::quit, "quit"},
    {Cause::Kind::goodbye, "goodbye"},
};

// Crashes are told in words, because few users know the names of their signals;
// the others by the name one would look for in a log or give to kill.
std::string_view signal_name(int signal) {
  switch (signal) {
    case SIGSEGV: return "segmentation fault";
    case SIGBUS: return "bus error";
    case SIGILL: return "illegal instruction";
    case SIGFPE: return "arithmetic error";
    case SIGABRT: return "abort";
    case SIGSYS: return "bad system call";
    case SIGTRAP: return "trap";
    case SIGHUP: return "SIGHUP";
    case SIGINT: return "SIGINT";
    case SIGQUIT: return "SIGQUIT";
    case SIGKILL: return "SIGKILL";
    case SIGTERM: return "SIGTERM";
    case SIGPIPE: return "SIGPIPE";
    case SIGALRM: return "SIGALRM";
    case SIGUSR1: return "SIGUSR1";
    case SIGUSR2: return "SIGUSR2";
    case SIGXCPU: return "SIGXCPU, limit of CPU time";
    case SIGXFSZ: return "SIGXFSZ, limit of file size";
    default: return {};
  }
}

bool is_crash(int signal) {
  constexpr int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
  return std::find(std::begin(crashes), std::end(crashes), signal) != std::end(crashes);
}

std::optional<int> parse_count(std::string_view text) {
  int count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || count < 0 || count > 1000) return std::nullopt;
  return count;
}

// The kinds a user can ask retries for: all but goodbye, which is always repeated.
std::optional<Cause::Kind> parse_kind(std::string_view name) {
  for (const KindName& known : kind_names) {
    if (known.name == name && known.kind != Cause::Kind::goodbye) return known.kind;
  }
  return std::nullopt;
}

std::string known_words() {
  std::string words;
  for (const KindName& known : kind_names) {
    if (known.kind == Cause::Kind::goodbye) continue;
    if (!words.empty()) words += ", ";
    words += known.name;
  }
  return words;
}

std::string quoted(std::string_view text) {
  std::string result(1, '"');
  result += text;
  return result += '"';
}

// A kind can come from the wire; one we do not know is counted as lost.
std::size_t index_of(Cause::Kind kind) {
  bool known = kind >= Cause::Kind::killed && kind <= Cause::Kind::goodbye;
  return static_cast<std::size_t>(known ? kind : Cause::Kind::lost);
}

}  // namespace

std::string_view name_of(Cause::Kind kind) {
  for (const KindName& known : kind_names) {
    if (known.kind == kind) return known.name;
  }
  return name_of(Cause::Kind::lost);
}

bool is_from_outside(Cause::Kind kind) {
  return kind != Cause::Kind::oom && kind != Cause::Kind::segfault && kind != Cause::Kind::quit &&
         kind != Cause::Kind::goodbye;
}

Cause cause_of_exit(int exit_code) {
  return {Cause::Kind::quit, "ended by itself with exit code " + std::to_string(exit_code)};
}

Cause cause_of_signal(int signal, bool out_of_memory) {
  std::string text = "was killed by signal " + std::to_string(signal);
  std::string_view name = signal_name(signal);
  if (!name.empty()) text += " (" + std::string(name) + ")";
  if (is_crash(signal)) return {Cause::Kind::segfault, text};
  // The kernel kills with SIGKILL when memory ends. In a group with several
  // daemons it may have been another one, but two such deaths at a time have one
  // reason.
  if (signal == SIGKILL && out_of_memory) return {Cause::Kind::oom, text + " because memory ran out"};
  return {Cause::Kind::killed, text};
}

void Deaths::add(Cause::Kind kind) {
  std::uint16_t& count = counts_[index_of(kind)];
  if (count < UINT16_MAX) ++count;
}

int Deaths::of(Cause::Kind kind) const { return counts_[index_of(kind)]; }

int Deaths::total() const { return std::accumulate(counts_.begin(), counts_.end(), 0); }

int Retries::allowed(Cause::Kind kind) const {
  auto exception = by_kind.find(kind);
  if (exception != by_kind.end()) return std::max(exception->second, 0);
  return is_from_outside(kind) ? std::max(outside, 0) : 0;
}

bool Retries::permit(const Deaths& deaths, Cause::Kind latest) const {
  if (!is_from_outside(latest) || by_kind.count(latest) > 0) return deaths.of(latest) <= allowed(latest);
  int shared = 0;
  for (const KindName& known : kind_names) {
    if (is_from_outside(known.kind) && by_kind.count(known.kind) == 0) shared += deaths.of(known.kind);
  }
  return shared <= allowed(latest);
}

Result<Retries> parse_retries(std::string_view text) {
  auto refuse = [text](const std::string& why) {
    return Error{"cannot read retries = " + quoted(text) + ": " + why};
  };
  Retries retries;
  bool outside_seen = false;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view item = text.substr(begin, end - begin);
    begin = end + 1;
    std::size_t equals = item.find('=');
    bool named = equals != std::string_view::npos;
    std::string_view number = named ? item.substr(equals + 1) : item;
    std::optional<int> count = parse_count(number);
    if (!count) return refuse(quoted(number) + " is not a whole number from 0 to 1000");
    if (!named) {
      if (outside_seen) return refuse("there is more than one number without a name");
      outside_seen = true;
      retries.outside = *count;
      continue;
    }
    std::string_view name = item.substr(0, equals);
    std::optional<Cause::Kind> kind = parse_kind(name);
    if (!kind) return refuse("there is no cause called " + quoted(name) + "; there are " + known_words());
    if (!retries.by_kind.emplace(*kind, *count).second) return refuse(quoted(name) + " is given twice");
  }
  return retries;
}

}  // namespace tenkai
