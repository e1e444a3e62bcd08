// What a viewer is told of a dispatcher: the reply to its request `status`.
//
//   key=value        what is known of the dispatcher itself; the values escaped
//                    (an empty line)
//   …                the lines that a session gets for `status`
//
// docs/protocol.md lists the keys. One that is not known here is stepped over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

struct View {
  struct Slot {
    std::string url;
    bool online = false;
    int instance = 0;
    std::uint64_t assigned = 0;
    std::uint64_t complete = 0;
    std::string state;  // idle, busy, suspect, or empty

    bool operator==(const Slot&) const = default;
  };
  struct Launch {
    std::uint64_t number = 0;
    std::vector<std::size_t> slots;  // from 1, as users see them
    std::string plugin;
    std::string where;
    std::string state;  // a word of launcher/launch/launch.h
    std::string cause;  // where it has failed: a word of launcher/plugin/failure.h
    std::string message;

    bool operator==(const Launch&) const = default;
  };

  int pid = 0;          // of the dispatcher; the name of its door tells it
  std::string profile;  // empty: that of tasks for which no daemons are set
  std::string policy;   // queue, direct, ephemeral
  std::string autoexit = "1";
  std::string url;  // direct: where each daemon connects
  int session_pid = 0;
  std::uint64_t uptime_ms = 0;
  std::uint64_t waiting = 0;  // tasks
  std::uint64_t running = 0;
  std::uint64_t done = 0;
  std::uint64_t online = 0;  // daemons
  // How many there are to be, where that changes with the work.
  std::optional<std::uint64_t> wanted;
  std::vector<Slot> slots;
  std::vector<Launch> launches;

  bool operator==(const View&) const = default;
};

Result<View> parse_view(std::string_view text);

// Not failed, not gone, and some of its daemons are still to come.
bool is_under_way(const View::Launch& launch);
// The slots that have no daemon, and to which none is on its way; from 1.
std::vector<std::size_t> free_slots(const View& view);
// Null where it is not among them.
const View::Launch* find_launch(const View& view, std::uint64_t number);

}  // namespace tenkai
