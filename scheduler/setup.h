// What a session asks a dispatcher to be: the payload of SETUP.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/daemon_call.h"
#include "base/random_stream.h"
#include "base/result.h"
#include "base/url.h"
#include "scheduler/dispatcher.h"
#include "wire/own_addresses.h"

namespace tenkai {

// As the lines of SETUP say it.
std::string_view name_of(Policy policy);

struct Setup {
  std::string profile;  // the compute profile, for people
  Policy policy = Policy::queue;
  std::optional<std::size_t> daemons;  // how many; none: one for each URL
  std::size_t spare = 0;               // slots beyond theirs, which the launcher wants
  std::vector<Url> urls;               // as given; empty: fresh abstract ones
  bool tokens = false;                 // they get names that nobody can guess
  bool local = false;                  // they are started here
  std::string rscript = "Rscript";
  DaemonOptions daemon;                // of each
  std::optional<RandomStream> stream;  // of the first one; the others have the next ones
  // How they are launched: the name of a compute profile in a file, or a configuration of R as
  // lines (parse_deployment() of launcher/). Empty: nobody launches them, or they are local.
  std::string deploy;
  std::string configuration;
  Retries retries;
  bool says_retries = false;
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

  // What the launcher has made of it: daemons are launched elsewhere, and are steps of the job
  // that the session is in, so that they come at once or never.
  bool launches = false;
  bool steps = false;

  std::size_t slots() const { return daemons.value_or(0) + spare; }
  std::size_t local_daemons() const { return local ? daemons.value_or(0) : 0; }
  bool shows_output() const { return daemon.is_true("output"); }
};

inline constexpr std::size_t max_slots = 100000;

// Reads lines `key=value`. Refuses unknown keys, bad numbers and URLs that are none.
Result<Setup> parse_setup(std::string_view text);

// How many daemons there are where nobody has said it; refuses to have none.
Result<Done> settle(Setup& setup);

// The lines of READY: what has become of the setup. `warnings`: sentences for the user.
std::string ready_lines(const Setup& setup, const std::vector<Url>& urls,
                        const std::vector<std::string>& warnings);

// What the user should know where the name of a host is an address that other machines
// do not reach, as Debian's /etc/hosts has it; empty: nothing. `address` is the one that
// the first of the URLs has here, `own` those that others may reach.
std::string note_about_loopback(const Url& url, const std::string& address,
                                const std::vector<OwnAddress>& own);

// What the user should know about URLs whose traffic others can read; empty: nothing.
std::string warning_about(const std::vector<Url>& urls);

}  // namespace tenkai
