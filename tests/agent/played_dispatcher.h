// The dispatcher of an agent, as a test imagines it: who sits where, and which tasks there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "agent/rank.h"
#include "base/frame.h"

namespace tenkai::tests {

class PlayedDispatcher {
 public:
  explicit PlayedDispatcher(std::uint64_t of_session) : session(of_session) {}

  struct Seat {
    std::string instance;
    std::optional<Rank::Attempt> running;
    bool is_discarded = false;  // what it runs was cancelled
    bool is_leaving = false;    // it gets nothing more
    bool is_away = false;       // its agent is back, and has not said what it holds
  };

  // A task for somebody; it runs when somebody is free.
  void submit();
  void on_reconnected();
  // What it answers to a frame of the agent.
  void hear(const Frame& frame, std::deque<Frame>& answers);
  void hand_out(std::deque<Frame>& answers);
  void cancel(std::uint32_t rank, CancelKind kind, std::deque<Frame>& answers);
  // The agent has not come back in time, or has another dispatcher before it.
  void forget_agent();
  bool is_done() const { return unresolved_.empty(); }
  bool has_free_seat() const;

  std::uint64_t session;
  std::map<std::uint32_t, Seat> seats;
  bool knows_way_back = false;
  bool has_used_credential = false;
  bool refuses = false;  // those who join
  std::string complaint;

 private:
  void join(const Frame& frame, std::deque<Frame>& answers);
  void take_out(std::uint32_t rank);
  void dismiss(std::uint32_t rank, std::deque<Frame>& answers);

  std::uint64_t last_task_ = 0;
  std::map<std::uint64_t, std::uint32_t> unresolved_;  // and how often they were tried
  std::deque<std::uint64_t> queue_;
};

}  // namespace tenkai::tests
