#include "scheduler/cause.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <numeric>
#include <optional>
#include <system_error>

#include "base/text.h"

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
    {Cause::Kind::limit, "limit"},
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

std::string known_words() {
  std::string words;
  for (const KindName& known : kind_names) {
    if (known.kind == Cause::Kind::goodbye) continue;
    if (!words.empty()) words += ", ";
    words += known.name;
  }
  return words;
}

std::string in_quotes(std::string_view text) {
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

std::optional<Cause::Kind> kind_named(std::string_view name) {
  for (const KindName& known : kind_names) {
    if (known.name == name && known.kind != Cause::Kind::goodbye) return known.kind;
  }
  return std::nullopt;
}

std::string in_full(const Cause& cause) {
  return cause.log.empty() ? cause.text : cause.text + "; its last lines: " + cause.log;
}

std::string how_it_left(const Cause& cause) {
  bool as_told = cause.kind == Cause::Kind::goodbye;
  return as_told ? "has ended as it was told to (idletime, walltime, maxtasks)" : in_full(cause);
}

bool is_from_outside(Cause::Kind kind) {
  switch (kind) {
    case Cause::Kind::oom:
    case Cause::Kind::segfault:
    case Cause::Kind::limit:
    case Cause::Kind::quit:
    case Cause::Kind::goodbye: return false;
    case Cause::Kind::killed:
    case Cause::Kind::lost:
    case Cause::Kind::preempted:
    case Cause::Kind::node_fail:
    case Cause::Kind::time_limit:
    case Cause::Kind::job_cancelled: break;
  }
  return true;
}

Cause cause_of_exit(int exit_code) {
  return {Cause::Kind::quit, "ended by itself with exit code " + std::to_string(exit_code)};
}

Cause cause_of_signal(int signal, bool out_of_memory) {
  std::string text = "was killed by signal " + std::to_string(signal);
  std::string_view name = signal_name(signal);
  if (!name.empty()) text += " (" + std::string(name) + ")";
  if (is_crash(signal)) return {Cause::Kind::segfault, text};
  if (signal == SIGXCPU || signal == SIGXFSZ) return {Cause::Kind::limit, text};
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

bool Retries::escalates(Cause::Kind kind) const {
  return (kind == Cause::Kind::oom && factors.mem > 100) ||
         (kind == Cause::Kind::time_limit && factors.time > 100);
}

std::optional<Size> Retries::need_after(Cause::Kind kind, Size died_on) const {
  if (!escalates(kind)) return died_on;
  std::uint8_t& steps = kind == Cause::Kind::oom ? died_on.mem : died_on.time;
  if (steps >= max_steps) return std::nullopt;
  ++steps;
  return died_on;
}

namespace {

// "mem=x2" or "exclude_node": what changes after a death by this kind.
Result<Done> read_change(std::string_view text, Cause::Kind kind, Retries& retries) {
  using Kind = Cause::Kind;
  std::size_t equals = text.find('=');
  std::string_view what = text.substr(0, equals);
  if (text == "exclude_node") {
    if (kind != Kind::node_fail && kind != Kind::killed && kind != Kind::lost)
      return Error{"exclude_node goes with node_fail, killed and lost, not with " +
                   std::string(name_of(kind))};
    retries.exclude_node.insert(kind);
    return Done{};
  }
  if (equals == text.npos || (what != "mem" && what != "time"))
    return Error{in_quotes(text) + " is none of mem=x2, time=x2 and exclude_node"};
  Kind goes_with = what == "mem" ? Kind::oom : Kind::time_limit;
  if (kind != goes_with)
    return Error{std::string(what) + " goes with " + std::string(name_of(goes_with)) + ", not with " +
                 std::string(name_of(kind))};
  std::optional<std::uint32_t> factor = parse_factor(text.substr(equals + 1));
  if (!factor) return Error{in_quotes(text) + " is no factor such as x2 or x1.5, of at most x16"};
  std::uint32_t& into = what == "mem" ? retries.factors.mem : retries.factors.time;
  if (into != 100) return Error{in_quotes(what) + " is given twice"};
  into = *factor;
  return Done{};
}

// "2", "oom=1", "oom=1:mem=x2", "node_fail=:exclude_node"
Result<Done> read_item(std::string_view item, Retries& retries) {
  std::size_t equals = item.find('=');
  bool named = equals != item.npos;
  std::size_t colon = named ? item.find(':', equals) : item.npos;
  bool changes = colon != item.npos;
  std::string_view number = named ? item.substr(equals + 1, changes ? colon - equals - 1 : colon) : item;
  std::optional<int> count = parse_count(number);
  if (!count && !(changes && number.empty()))
    return Error{in_quotes(number) + " is not a whole number from 0 to 1000"};
  if (!named) {
    retries.outside = *count;
    return Done{};
  }
  std::string_view name = item.substr(0, equals);
  std::optional<Cause::Kind> kind = kind_named(name);
  if (!kind) return Error{"there is no cause called " + in_quotes(name) + "; there are " + known_words()};
  if (count && !retries.by_kind.emplace(*kind, *count).second)
    return Error{in_quotes(name) + " is given twice"};
  while (changes) {
    std::size_t next = item.find(':', colon + 1);
    Result<Done> read = read_change(item.substr(colon + 1, next - colon - 1), *kind, retries);
    if (!read) return read;
    changes = next != item.npos;
    colon = next;
  }
  return Done{};
}

}  // namespace

Result<Retries> parse_retries(std::string_view text) {
  auto refuse = [text](const std::string& why) {
    return Error{"cannot read retries = " + in_quotes(text) + ": " + why};
  };
  Retries retries;
  bool outside_seen = false;
  for (std::string_view item : split(text, ',')) {
    bool named = item.find('=') != item.npos;
    if (!named && outside_seen && parse_count(item))
      return refuse("there is more than one number without a name");
    outside_seen = outside_seen || !named;
    Result<Done> read = read_item(item, retries);
    if (!read) return refuse(read.error().message);
  }
  for (Cause::Kind kind : {Cause::Kind::oom, Cause::Kind::time_limit}) {
    if (retries.escalates(kind) && retries.allowed(kind) == 0)
      return refuse("after " + std::string(name_of(kind)) + " nothing is tried again; say how often");
  }
  return retries;
}

}  // namespace tenkai
