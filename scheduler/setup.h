// What a session asks a dispatcher to be: the payload of SETUP.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/url.h"
#include "scheduler/dispatcher.h"
#include "wire/own_addresses.h"

namespace tenkai {

// What happens to daemons when the session ends.
enum class Autoexit {
  now,     // interrupted, gone within 5 s
  finish,  // a running task may finish
  stay,    // they stay and look for another dispatcher
};

// As the lines of SETUP say it.
std::string_view name_of(Policy policy);
std::string_view name_of(Autoexit autoexit);

struct Setup {
  std::string profile;  // the compute profile, for people
  Policy policy = Policy::queue;
  std::size_t slots = 0;
  std::vector<Url> urls;  // as given; empty: fresh abstract ones
  bool tokens = false;    // they get names that nobody can guess
  std::size_t local = 0;  // R daemons to start here, on the first slots
  std::string rscript = "Rscript";
  std::vector<std::string> calls;  // the R expression for each of them
  bool output = false;
  Retries retries;
  std::chrono::milliseconds reconnect{60000};
  std::optional<std::chrono::milliseconds> kill_after;
  bool respawn = true;                                // local daemons that end unasked are started again
  std::optional<std::chrono::milliseconds> patience;  // Rules::patience
  std::optional<std::uint64_t> memory_limit;          // bytes; none: half of what there is
  std::optional<std::uint64_t> daemon_memory;         // bytes that each daemon which is started here may have
  std::uint16_t first_port = 0;                       // with last_port: where a URL has port 0, one of these
  std::uint16_t last_port = 0;
  bool insecure = false;        // the user knows that some of the traffic can be read
  std::string tls_pem;          // certificate, chain and key; empty: made here
  std::string tls_file;         // or where they are
  std::string tls_password;     // of the key
  std::string credential_file;  // key and token that daemons of other sessions know
  Autoexit autoexit = Autoexit::now;
};

inline constexpr std::size_t max_slots = 100000;

// Reads lines `key=value`. Refuses unknown keys, bad numbers and URLs that are none.
// Values are those of escape_line().
Result<Setup> parse_setup(std::string_view text);

// What the user should know where the name of a host is an address that other machines
// do not reach, as Debian's /etc/hosts has it; empty: nothing. `address` is the one that
// the first of the URLs has here, `own` those that others may reach.
std::string note_about_loopback(const Url& url, const std::string& address,
                                const std::vector<OwnAddress>& own);

// What the user should know about URLs whose traffic others can read; empty: nothing.
std::string warning_about(const std::vector<Url>& urls);

}  // namespace tenkai
