#include "launcher/doctor/address_checks.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai::doctor {
namespace {

bool is_loopback_text(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

std::string own_in_words(const Addresses& it) {
  std::vector<std::string> words;
  for (const OwnAddress& each : it.own) words.push_back(each.interface + " " + each.address);
  return join(words, ", ");
}

std::string choose(const Addresses& it) {
  if (it.own.empty()) return "set url of the profile to an address that the nodes reach";
  return "set interface of the profile to one of " + own_in_words(it);
}

Check judge_name(const Addresses& it) {
  std::string what =
      it.is_own_name ? "the name of this machine, " + it.name : "the host of the URL, " + it.name;
  auto is_own = [&it](const std::string& address) {
    return std::ranges::any_of(it.own, [&](const OwnAddress& each) { return each.address == address; });
  };
  if (it.found.empty())
    return warning("address.name", what,
                   "has no address here, so daemons of other machines may find none either", choose(it));
  if (std::ranges::any_of(it.found, is_own)) return ok("address.name", what, "leads to " + it.found.front());
  if (!std::ranges::all_of(it.found, is_loopback_text))
    return warning("address.name", what,
                   "leads to " + join(it.found, ", ") + ", and this machine has " +
                       (it.own.empty() ? "no address" : own_in_words(it)),
                   choose(it));
  if (!it.is_own_name)
    return warning("address.name", what, "is this machine for each machine: no other one reaches us by it",
                   choose(it));
  return skipped("address.name", what,
                 "leads to " + it.found.front() +
                     " on this machine, as is usual; where it leads on others is not "
                     "known here" +
                     (it.own.empty() ? "" : " (addresses: " + own_in_words(it) + ")"));
}

Check judge_port(const Addresses& it) {
  std::string what = it.tried.size() == 1 ? "port " + it.tried.front()
                                          : "ports " + it.tried.front() + " to " + it.tried.back();
  if (it.busy.size() < it.tried.size())
    return ok("address.port", what,
              it.busy.empty() ? "free" : std::to_string(it.tried.size() - it.busy.size()) + " are free");
  return wrong(
      "address.port", what,
      it.tried.size() == 1 ? "is taken, by daemons that are set already or by another program"
                           : "are all taken",
      "ss -ltnp 'sport = :" + it.tried.front() + "' shows by whom; let the profile have port 0, or another");
}

}  // namespace

Checks judge_addresses(const Addresses& it) {
  if (it.url.empty()) return {};
  Checks checks = {ok("address.url", "where daemons connect", it.url)};
  if (!it.tried.empty()) checks.push_back(judge_port(it));
  if (it.through_tunnel || !it.is_remote) return checks;
  checks.push_back(judge_name(it));
  if (it.own.empty())
    checks.push_back(skipped("address.interfaces", "network", "this machine has no address but loopback"));
  else checks.push_back(ok("address.interfaces", "network", own_in_words(it)));
  checks.push_back(
      skipped("address.firewall", "firewall",
              "whether it lets daemons of other machines through is not known before one tries"));
  return checks;
}

}  // namespace tenkai::doctor
