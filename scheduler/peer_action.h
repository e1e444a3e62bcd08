// What the table of peers asks to be done.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/frame.h"
#include "process/r_processes.h"
#include "scheduler/cause.h"
#include "scheduler/dispatcher.h"
#include "scheduler/grants.h"

namespace tenkai {

// A number that no other connection has had, or will have; 0: none.
using ConnectionId = std::uint64_t;

namespace peer_action {

// --- to a connection ---

// Let a stranger in: what it says and its end belong to the table from now on.
struct Welcome {
  ConnectionId to;
  Frame frame;
};
// Say why a stranger is not let in, and close.
struct Refuse {
  ConnectionId to;
  std::string why;
};
struct Say {
  ConnectionId to;
  Frame frame;
};
struct Drop {
  ConnectionId to;
  std::string why;
};
// Say this, and close.
struct Close {
  ConnectionId to;
  Frame frame;
};

// --- to processes of this machine ---

// To all that a process of ours has started, too.
struct Signal {
  pid_t pid;
  int number;
};
struct LocalJoined {
  pid_t pid;
};
// `worked`: it was given a task.
struct LocalLeft {
  pid_t pid;
  Cause cause;
  bool worked;
};

// --- to the launcher: as the functions of LauncherInterface ---

struct Joined {
  GrantId grant;
  std::size_t slot;
};
struct Left {
  GrantId grant;
  std::size_t slot;
  Cause::Kind why;
};
struct GivenUp {
  GrantId grant;
  std::size_t slot;
  REnd end;
  std::uint64_t starts;
};
struct Away {
  GrantId grant;
  std::size_t slot;
};

// To the session, if it keeps up.
struct PassOn {
  Frame said;
};
// Somebody has come or gone.
struct Changed {};
struct Log {
  std::string text;
};

}  // namespace peer_action

// The last three are the dispatcher's, and not for daemons.
using PeerAction =
    std::variant<peer_action::Welcome, peer_action::Refuse, peer_action::Say, peer_action::Drop,
                 peer_action::Close, peer_action::Signal, peer_action::LocalJoined, peer_action::LocalLeft,
                 peer_action::Joined, peer_action::Left, peer_action::GivenUp, peer_action::Away,
                 peer_action::PassOn, peer_action::Changed, peer_action::Log, Resolve, StartLocal, Tell>;
using PeerActions = std::vector<PeerAction>;

}  // namespace tenkai
