#include "scheduler/setup.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/lines.h"
#include "base/text.h"

namespace tenkai {
namespace {

// `key` is the word before the equals sign, for what is said of a bad value.
using Read = std::function<Result<Done>(Setup&, std::string_view key, std::string_view value)>;

Error bad(std::string_view key, std::string_view value, std::string_view wanted) {
  return Error{"the setting " + std::string(key) + " is '" + printable(value) + "', it must be " +
               std::string(wanted)};
}

Result<Done> read_daemons(Setup& setup, std::string_view key, std::string_view value) {
  setup.daemons = to_number<std::size_t>(value);
  if (!setup.daemons || *setup.daemons > max_slots)
    return bad(key, value, "a whole number from 0 to " + std::to_string(max_slots));
  return Done{};
}

Read flag_in(bool Setup::*member) {
  return [=](Setup& setup, std::string_view key, std::string_view value) -> Result<Done> {
    if (value != "0" && value != "1") return bad(key, value, "0 or 1");
    setup.*member = value == "1";
    return Done{};
  };
}

// Or one that need not be there.
template <class Member>
Read time_in(Member Setup::*member) {
  return [=](Setup& setup, std::string_view key, std::string_view value) -> Result<Done> {
    auto number = to_number<std::uint32_t>(value);
    if (!number) return bad(key, value, "a whole number of milliseconds");
    setup.*member = std::chrono::milliseconds(*number);
    return Done{};
  };
}

Read bytes_in(std::optional<std::uint64_t> Setup::*member) {
  return [=](Setup& setup, std::string_view key, std::string_view value) -> Result<Done> {
    setup.*member = to_number<std::uint64_t>(value);
    if (!(setup.*member)) return bad(key, value, "a number of bytes");
    return Done{};
  };
}

Read text_in(std::string Setup::*member) {
  return [=](Setup& setup, std::string_view, std::string_view value) -> Result<Done> {
    setup.*member = value;
    return Done{};
  };
}

Result<Done> read_policy(Setup& setup, std::string_view key, std::string_view value) {
  for (Policy policy : {Policy::queue, Policy::open, Policy::direct, Policy::ephemeral}) {
    if (value != name_of(policy)) continue;
    setup.policy = policy;
    return Done{};
  }
  return bad(key, value, "queue, open, direct or ephemeral");
}

Result<Done> read_url(Setup& setup, std::string_view, std::string_view value) {
  Result<Url> url = parse_url(value);
  if (!url) return with_code(Code::invalid_argument, url.error().message);
  setup.urls.push_back(std::move(*url));
  return Done{};
}

Result<Done> read_retries(Setup& setup, std::string_view, std::string_view value) {
  Result<Retries> retries = parse_retries(value);
  if (!retries) return retries.error();
  setup.retries = std::move(*retries);
  setup.says_retries = true;
  return Done{};
}

// "60000" or "60000-61000"
Result<Done> read_ports(Setup& setup, std::string_view key, std::string_view value) {
  std::size_t dash = value.find('-');
  auto first = to_number<std::uint16_t>(value.substr(0, dash));
  auto last = dash == value.npos ? first : to_number<std::uint16_t>(value.substr(dash + 1));
  if (!first || !last || *first < 1 || *last < *first) return bad(key, value, "ports such as 60000-61000");
  setup.first_port = *first;
  setup.last_port = *last;
  return Done{};
}

Result<Done> read_stream(Setup& setup, std::string_view key, std::string_view value) {
  setup.stream = parse_stream(value);
  if (!setup.stream) return bad(key, value, "a .Random.seed of seven numbers");
  return Done{};
}

Result<Done> read_option(Setup& setup, std::string_view key, std::string_view value) {
  Result<bool> read = read_daemon_field(key, std::string(value), setup.daemon);
  if (!read) return read.error();
  return Done{};
}

const std::map<std::string_view, Read>& readers() {
  static const std::map<std::string_view, Read> all{
      {"policy", read_policy},
      {"url", read_url},
      {"retries", read_retries},
      {"ports", read_ports},
      {"daemon", read_option},
      {"stream", read_stream},
      {"daemons", read_daemons},
      {"local", flag_in(&Setup::local)},
      {"deploy", text_in(&Setup::deploy)},
      {"configuration", text_in(&Setup::configuration)},
      {"token", flag_in(&Setup::tokens)},
      {"respawn", flag_in(&Setup::respawn)},
      {"insecure", flag_in(&Setup::insecure)},
      {"patience_ms", time_in(&Setup::patience)},
      {"reconnect_ms", time_in(&Setup::reconnect)},
      {"kill_after_ms", time_in(&Setup::kill_after)},
      {"memory_limit", bytes_in(&Setup::memory_limit)},
      {"daemon_memory", bytes_in(&Setup::daemon_memory)},
      {"tls_pem", text_in(&Setup::tls_pem)},
      {"tls_file", text_in(&Setup::tls_file)},
      {"tls_password", text_in(&Setup::tls_password)},
      {"credential_file", text_in(&Setup::credential_file)},
      {"profile", text_in(&Setup::profile)},
      {"rscript", text_in(&Setup::rscript)},
  };
  return all;
}

}  // namespace

std::string_view name_of(Policy policy) {
  switch (policy) {
    case Policy::queue: return "queue";
    case Policy::open: return "open";
    case Policy::direct: return "direct";
    case Policy::ephemeral: break;
  }
  return "ephemeral";
}

Result<Setup> parse_setup(std::string_view text) {
  Setup setup;
  Result<Done> read = read_lines(text, [&](std::string_view key, const std::string& value) -> Result<Done> {
    auto reader = readers().find(key);
    if (reader != readers().end()) return reader->second(setup, key, value);
    return Error{"'" + printable(key) +
                 "' is not a setting of this dispatcher; are R package and program of one version?"};
  });
  if (!read) return read.error();
  return setup;
}

Result<Done> settle(Setup& setup) {
  bool by_urls = has_slots(setup.policy) || setup.policy == Policy::ephemeral;
  if (!setup.daemons) setup.daemons = by_urls ? setup.urls.size() : 1;
  if (has_slots(setup.policy) && *setup.daemons == 0)
    return Error{"the number of daemons must be 1 or greater"};
  if (setup.slots() > max_slots)
    return Error{"a dispatcher has at most " + std::to_string(max_slots) + " slots, and these daemons need " +
                 std::to_string(setup.slots())};
  if (!setup.credential_file.empty() && std::ranges::none_of(setup.urls, is_network))
    return Error{"'credential' is for URLs that are reached over the network, such as host_url(tls = TRUE)"};
  return Done{};
}

std::string ready_lines(const Setup& setup, const std::vector<Url>& urls,
                        const std::vector<std::string>& warnings) {
  std::string lines = line_of("daemons", std::to_string(setup.daemons.value_or(0)));
  for (const Url& url : urls) lines += line_of("url", to_string(url));
  for (const std::string& warning : warnings) lines += line_of("warning", warning);
  lines += line_of("spare", std::to_string(setup.spare)) + to_lines(setup.daemon);
  if (!setup.urls.empty()) lines += line_of("urls_given", "1");
  if (setup.local) lines += line_of("local", "1");
  if (setup.launches) lines += line_of("launches", "1");
  if (setup.steps) lines += line_of("steps", "1");
  return lines;
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
