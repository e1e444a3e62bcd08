// The tasks that are not resolved yet.
//
// One place holds them, by session and number, so that what is counted about them
// (bytes held, deadlines, how many) always agrees with what is there. Where a task
// stands in a queue is the dispatcher's business; it is only noted here.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "scheduler/cause.h"
#include "scheduler/map_work.h"
#include "scheduler/size.h"

namespace tenkai {

using Time = std::chrono::steady_clock::time_point;
using SessionId = std::uint64_t;
using DaemonId = std::uint64_t;

struct TaskKey {
  SessionId session = 0;
  std::uint64_t task = 0;  // chosen by the session, unique in it, below everywhere_bit
  auto operator<=>(const TaskKey&) const = default;
};

// The half of all task numbers that sessions may not use: the dispatcher numbers
// everywhere() with it, so that an answer to one is never taken for the other's.
inline constexpr std::uint64_t everywhere_bit = std::uint64_t{1} << 63;

// A wait that somebody asked for, so that adding it to a time cannot overflow: at
// least nothing, at most a hundred years.
inline std::chrono::milliseconds bounded_wait(std::chrono::milliseconds wait) {
  constexpr std::chrono::milliseconds longest = std::chrono::hours(24 * 365 * 100);
  return std::clamp(wait, std::chrono::milliseconds(0), longest);
}

struct Task {
  enum class Place : std::uint8_t {
    queued,   // in the queue of all
    waiting,  // in the queue of one daemon (Policy::direct, or pinned)
    running,
  };

  TaskKey key;
  std::uint64_t sequence = 0;  // order of submission, over all sessions
  Payload payload;
  std::string label;
  std::chrono::milliseconds timeout{0};
  std::optional<Time> deadline;
  std::chrono::milliseconds time_request{0};  // it is only started where it has this long
  std::uint32_t attempts = 0;                 // times it was sent to a daemon
  Deaths deaths;
  Place place = Place::queued;
  Size need;            // only a daemon that is as large gets it
  bool pinned = false;  // for the R process that was at its slot when it came, and for no other
  DaemonId daemon = 0;  // unless queued
  // A piece of a map: `count` elements, from the one with the number of this task on. They
  // are those behind the first `skip` of the `in_parcel` values in `payload`.
  std::shared_ptr<MapWork> map;
  std::uint64_t count = 1;
  std::uint64_t skip = 0;
  std::uint64_t in_parcel = 1;
};

// What a task holds of the session's memory: of pieces that share a parcel each its part; without
// the files of blocks that it shares with others.
std::uint64_t bytes_of(const Task& task);
// What a daemon is sent for it.
Payload payload_for_daemon(const Task& task);

class Tasks {
 public:
  void open(SessionId session);
  bool knows(SessionId session) const;
  // Takes out what is left of the session, in order of submission.
  std::vector<Task> close(SessionId session);

  // Null where there is none. The pointer is good until the task is taken.
  Task* find(TaskKey key);
  // The session must be known and the number not in use.
  Task& add(Task task);
  Task take(const Task& task);

  // Why a task needs more than the usual, for as long as it is here. Few do, so it is
  // no part of a task: a queue of a million should not pay for it.
  void explain(const Task& task, std::string why) { explanations_[task.key] = std::move(why); }
  std::string explanation_of(const Task& task) const;
  // How its attempts have ended so far: "daemon 1 was killed …, daemon 2 was killed …". The
  // first of them where there are many; `count`: how many there were.
  void add_to_story(const Task& task, const std::string& end);
  std::string story_of(const Task& task, int count) const;

  std::size_t size() const { return size_; }
  // Bytes of payload; a memory file that several tasks use counts once.
  std::uint64_t memory() const { return memory_; }
  // How many more it would be with a task that has this payload.
  std::uint64_t memory_for(const Payload& payload) const;
  std::optional<Time> first_deadline() const;
  // The task whose deadline comes first, where it is not after `now`.
  Task* find_overdue(Time now);

 private:
  using OfSession = std::unordered_map<std::uint64_t, Task>;

  void forget(const Task& task);
  // Counts what the task holds, once more or once less.
  void count(const Task& task, bool is_here);

  std::unordered_map<SessionId, OfSession> sessions_;
  std::set<std::pair<Time, TaskKey>> deadlines_;
  std::map<TaskKey, std::string> explanations_;
  std::map<TaskKey, std::vector<std::string>> stories_;
  std::unordered_map<const Bytes*, std::size_t> users_;  // tasks with this payload, or its shared blocks
  std::size_t size_ = 0;
  std::uint64_t memory_ = 0;
};

}  // namespace tenkai
