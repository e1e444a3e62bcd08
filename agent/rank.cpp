#include "agent/rank.h"

#include <algorithm>
#include <utility>

namespace tenkai {

bool all_are_over(const std::vector<Rank>& ranks) {
  return std::all_of(ranks.begin(), ranks.end(),
                     [](const Rank& rank) { return rank.state == Rank::State::over; });
}

void give_up_unless_up(std::vector<Rank>& ranks) {
  if (std::any_of(ranks.begin(), ranks.end(), [](const Rank& rank) { return rank.is_up(); })) return;
  for (Rank& rank : ranks) rank.state = Rank::State::over;
}

void give_up_restarts(std::vector<Rank>& ranks) {
  for (Rank& rank : ranks) {
    if (rank.state == Rank::State::paused) rank.state = Rank::State::over;
  }
}

Frame join_of(const Rank& rank) {
  Frame frame(Type::join);
  frame.rank = rank.number;
  if (auto holds = rank.holds()) {
    frame.session = holds->session;
    frame.task = holds->task;
    frame.attempt = holds->attempt;
  }
  frame.with(Key::url, rank.url).with(Key::instance, rank.instance);
  if (rank.pid) frame.with(Key::pid, static_cast<std::uint64_t>(*rank.pid));
  return frame;
}

Frame drains_of(const Rank& rank) {
  Frame frame(Type::left);
  frame.rank = rank.number;
  return std::move(frame.with(Key::instance, rank.instance).with_kind(LeftKind::drains));
}

Frame left_of(const Rank& rank, const REnd& end) {
  Frame frame(Type::left);
  frame.rank = rank.number;
  if (rank.goes_for_good()) frame.with_kind(LeftKind::goodbye);
  if (end.how.exit_code) frame.with(Key::exit_code, static_cast<std::uint64_t>(*end.how.exit_code));
  if (end.how.signal) frame.with(Key::signal, static_cast<std::uint64_t>(*end.how.signal));
  if (end.out_of_memory) frame.with(Key::out_of_memory, 1);
  frame.with(Key::instance, rank.instance);
  if (!end.excess.empty()) frame.with(Key::message, end.excess);
  if (!end.log_tail.empty()) frame.with(Key::log_tail, end.log_tail);
  return frame;
}

Frame given_up_of(const Rank& rank, const REnd& end) {
  Frame frame = left_of(rank, end);
  frame.with_kind(LeftKind::given_up).with(Key::url, rank.url);
  if (rank.failed_starts > 0) frame.with(Key::failed, static_cast<std::uint64_t>(rank.failed_starts));
  return frame;
}

}  // namespace tenkai
