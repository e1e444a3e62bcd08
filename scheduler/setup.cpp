#include "scheduler/setup.h"

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

using Read = std::function<Result<Done>(Setup&, std::string_view)>;

Error bad(std::string_view key, std::string_view value, std::string_view wanted) {
  return Error{"the setting " + std::string(key) + " is '" + printable(value) + "', it must be " +
               std::string(wanted)};
}

Result<Done> read_count(std::string_view key, std::string_view value, std::size_t& into) {
  auto number = to_number<std::size_t>(value);
  if (!number || *number > max_slots)
    return bad(key, value, "a whole number from 0 to " + std::to_string(max_slots));
  into = *number;
  return Done{};
}

Result<Done> read_flag(std::string_view key, std::string_view value, bool& into) {
  if (value != "0" && value != "1") return bad(key, value, "0 or 1");
  into = value == "1";
  return Done{};
}

Result<std::chrono::milliseconds> read_time(std::string_view key, std::string_view value) {
  auto number = to_number<std::uint32_t>(value);
  if (!number) return bad(key, value, "a whole number of milliseconds");
  return std::chrono::milliseconds(*number);
}

Result<Done> read_policy(Setup& setup, std::string_view value) {
  for (Policy policy : {Policy::queue, Policy::direct, Policy::ephemeral}) {
    if (value != name_of(policy)) continue;
    setup.policy = policy;
    return Done{};
  }
  return bad("policy", value, "queue, direct or ephemeral");
}

Result<Done> read_autoexit(Setup& setup, std::string_view value) {
  for (Autoexit autoexit : {Autoexit::now, Autoexit::finish, Autoexit::stay}) {
    if (value != name_of(autoexit)) continue;
    setup.autoexit = autoexit;
    return Done{};
  }
  return bad("autoexit", value, "1, 0 or na");
}

Result<Done> read_url(Setup& setup, std::string_view value) {
  Result<Url> url = parse_url(value);
  if (!url) return Error{"3 | Invalid argument: " + url.error().message};
  setup.urls.push_back(std::move(*url));
  return Done{};
}

Result<Done> read_retries(Setup& setup, std::string_view value) {
  Result<Retries> retries = parse_retries(value);
  if (!retries) return retries.error();
  setup.retries = std::move(*retries);
  return Done{};
}

Result<Done> read_memory(Setup& setup, std::string_view value) {
  auto number = to_number<std::uint64_t>(value);
  if (!number) return bad("memory_limit", value, "a number of bytes");
  setup.memory_limit = *number;
  return Done{};
}

Result<Done> read_daemon_memory(Setup& setup, std::string_view value) {
  setup.daemon_memory = to_number<std::uint64_t>(value);
  if (!setup.daemon_memory) return bad("daemon_memory", value, "a number of bytes");
  return Done{};
}

// "60000" or "60000-61000"
Result<Done> read_ports(Setup& setup, std::string_view value) {
  std::size_t dash = value.find('-');
  auto first = to_number<std::uint16_t>(value.substr(0, dash));
  auto last = dash == value.npos ? first : to_number<std::uint16_t>(value.substr(dash + 1));
  if (!first || !last || *first < 1 || *last < *first)
    return bad("ports", value, "ports such as 60000-61000");
  setup.first_port = *first;
  setup.last_port = *last;
  return Done{};
}

const std::map<std::string_view, Read>& readers() {
  static const std::map<std::string_view, Read> all{
      {"policy", read_policy},
      {"autoexit", read_autoexit},
      {"url", read_url},
      {"retries", read_retries},
      {"memory_limit", read_memory},
      {"daemon_memory", read_daemon_memory},
      {"ports", read_ports},
      {"slots", [](Setup& setup, std::string_view value) { return read_count("slots", value, setup.slots); }},
      {"local", [](Setup& setup, std::string_view value) { return read_count("local", value, setup.local); }},
      {"output",
       [](Setup& setup, std::string_view value) { return read_flag("output", value, setup.output); }},
      {"token", [](Setup& setup, std::string_view value) { return read_flag("token", value, setup.tokens); }},
      {"respawn",
       [](Setup& setup, std::string_view value) { return read_flag("respawn", value, setup.respawn); }},
      {"patience_ms",
       [](Setup& setup, std::string_view value) -> Result<Done> {
         Result<std::chrono::milliseconds> time = read_time("patience_ms", value);
         if (!time) return time.error();
         setup.patience = *time;
         return Done{};
       }},
      {"insecure",
       [](Setup& setup, std::string_view value) { return read_flag("insecure", value, setup.insecure); }},
      {"tls_pem",
       [](Setup& setup, std::string_view value) {
         setup.tls_pem = value;
         return Result<Done>(Done{});
       }},
      {"tls_file",
       [](Setup& setup, std::string_view value) {
         setup.tls_file = value;
         return Result<Done>(Done{});
       }},
      {"tls_password",
       [](Setup& setup, std::string_view value) {
         setup.tls_password = value;
         return Result<Done>(Done{});
       }},
      {"credential_file",
       [](Setup& setup, std::string_view value) {
         setup.credential_file = value;
         return Result<Done>(Done{});
       }},
      {"profile",
       [](Setup& setup, std::string_view value) {
         setup.profile = value;
         return Result<Done>(Done{});
       }},
      {"rscript",
       [](Setup& setup, std::string_view value) {
         setup.rscript = value;
         return Result<Done>(Done{});
       }},
      {"call",
       [](Setup& setup, std::string_view value) {
         setup.calls.emplace_back(value);
         return Result<Done>(Done{});
       }},
      {"reconnect_ms",
       [](Setup& setup, std::string_view value) -> Result<Done> {
         Result<std::chrono::milliseconds> time = read_time("reconnect_ms", value);
         if (!time) return time.error();
         setup.reconnect = *time;
         return Done{};
       }},
      {"kill_after_ms",
       [](Setup& setup, std::string_view value) -> Result<Done> {
         Result<std::chrono::milliseconds> time = read_time("kill_after_ms", value);
         if (!time) return time.error();
         setup.kill_after = *time;
         return Done{};
       }},
  };
  return all;
}

Result<Done> check(const Setup& setup) {
  if (setup.policy == Policy::queue && setup.slots == 0)
    return Error{"the number of slots must be 1 or greater"};
  if (setup.local > 0 && setup.calls.empty()) return Error{"there is no call for the local daemons"};
  return Done{};
}

}  // namespace

std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::queue: return "queue";
    case Policy::direct: return "direct";
    default: return "ephemeral";
  }
}

std::string_view name_of(Autoexit autoexit) {
  switch (autoexit) {
    case Autoexit::now: return "1";
    case Autoexit::finish: return "na";
    default: return "0";
  }
}

Result<Setup> parse_setup(std::string_view text) {
  Setup setup;
  for (std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    std::size_t equals = line.find('=');
    std::string_view key = line.substr(0, equals);
    auto reader = readers().find(key);
    if (equals == line.npos || reader == readers().end()) {
      return Error{"'" + printable(key) +
                   "' is not a setting of this dispatcher; are R package and program of one version?"};
    }
    Result<Done> read = reader->second(setup, unescape_line(line.substr(equals + 1)));
    if (!read) return read.error();
  }
  Result<Done> good = check(setup);
  if (!good) return good.error();
  return setup;
}

std::string note_about_loopback(const Url& url, const std::string& address,
                                const std::vector<OwnAddress>& own) {
  Url there = url;
  there.host = address;
  // Who has named loopback means it, and where there is nothing else, nobody comes.
  if (address.empty() || own.empty() || is_loopback(url) || !is_loopback(there)) return {};
  std::string choices;
  for (const OwnAddress& each : own) {
    choices += (choices.empty() ? "" : ", ") + each.address + " (" + each.interface + ")";
  }
  return "daemons on other machines cannot reach " + to_string(url) + ", for on this machine " + url.host +
         " is " + address +
         " (see /etc/hosts); if there shall be some, host_url(host =) takes another name "
         "or one of this machine's addresses: " +
         choices;
}

std::string warning_about(const std::vector<Url>& urls) {
  for (const Url& url : urls) {
    if (!is_network(url) || is_encrypted(url) || is_loopback(url)) continue;
    std::string safe = is_websocket(url) ? "wss" : "tls+tcp";
    return "what goes through " + to_string(url) +
           " can be read, and changed, by others on the network, though nobody without a credential gets "
           "in; " +
           safe + ":// encrypts it, insecure = TRUE silences this";
  }
  return {};
}

}  // namespace tenkai
