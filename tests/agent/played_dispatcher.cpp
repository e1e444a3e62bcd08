#include "tests/agent/played_dispatcher.h"

#include <algorithm>
#include <utility>

namespace tenkai::tests {
namespace {

Frame about(Type type, std::uint32_t rank, const Rank::Attempt& attempt = {}) {
  Frame frame(type);
  frame.rank = rank;
  frame.session = attempt.session;
  frame.task = attempt.task;
  frame.attempt = attempt.attempt;
  return frame;
}

}  // namespace

void PlayedDispatcher::submit() {
  unresolved_[++last_task_] = 0;
  queue_.push_back(last_task_);
}

bool PlayedDispatcher::has_free_seat() const {
  return std::any_of(seats.begin(), seats.end(), [](const auto& each) { return !each.second.is_leaving; });
}

void PlayedDispatcher::hand_out(std::deque<Frame>& answers) {
  for (auto& [rank, seat] : seats) {
    if (queue_.empty()) return;
    if (seat.running || seat.is_leaving || seat.is_away) continue;
    std::uint64_t task = queue_.front();
    queue_.pop_front();
    seat.running = Rank::Attempt{session, task, ++unresolved_[task]};
    seat.is_discarded = false;
    // For the test to see; a real one names no R here.
    answers.push_back(about(Type::task, rank, *seat.running).with(Key::instance, seat.instance));
  }
}

void PlayedDispatcher::cancel(std::uint32_t rank, CancelKind kind, std::deque<Frame>& answers) {
  auto found = seats.find(rank);
  if (found == seats.end()) return;
  Seat& seat = found->second;
  if (kind != CancelKind::interrupt) {
    answers.push_back(about(Type::cancel, rank).with_kind(kind));
    if (kind == CancelKind::kill_for_good) take_out(rank);
  } else if (seat.running && !seat.is_discarded) {
    unresolved_.erase(seat.running->task);
    seat.is_discarded = true;
    answers.push_back(about(Type::cancel, rank, *seat.running));
  }
}

void PlayedDispatcher::dismiss(std::uint32_t rank, std::deque<Frame>& answers) {
  answers.push_back(about(Type::refused, rank).with(Key::instance, seats[rank].instance));
}

void PlayedDispatcher::take_out(std::uint32_t rank) {
  auto found = seats.find(rank);
  if (found == seats.end()) return;
  const Seat& seat = found->second;
  if (seat.running && !seat.is_discarded) queue_.push_front(seat.running->task);
  seats.erase(found);
}

void PlayedDispatcher::on_reconnected() {
  for (auto& [rank, seat] : seats) seat.is_away = true;
}

void PlayedDispatcher::forget_agent() {
  while (!seats.empty()) take_out(seats.begin()->first);
}

void PlayedDispatcher::hear(const Frame& frame, std::deque<Frame>& answers) {
  auto found = seats.find(frame.rank);
  bool is_here = found != seats.end();
  if (frame.type == Type::join) {
    join(frame, answers);
  } else if (frame.type == Type::left && is_here && found->second.instance == frame.text(Key::instance)) {
    auto kind = frame.kind<LeftKind>();
    bool all = kind == LeftKind::drains || kind == LeftKind::job_ends;
    for (auto& [rank, seat] : seats) {
      if (all) seat.is_leaving = true;
      if (kind == LeftKind::drains && !seat.running) dismiss(rank, answers);
    }
    if (kind == LeftKind::ended || kind == LeftKind::goodbye) take_out(frame.rank);
  } else if (frame.type == Type::finished && is_here && found->second.running == Rank::attempt_of(frame)) {
    Seat& seat = found->second;
    if (!seat.is_discarded && unresolved_.erase(frame.task) == 0) complaint = "a task was answered twice";
    if (!seat.is_discarded && frame.number(Key::failed) == 1)
      complaint = "a task failed that nobody cancelled";
    seat.running.reset();
    hand_out(answers);
    if (!seat.running) answers.push_back(about(Type::ack, frame.rank));
    if (seat.is_leaving) dismiss(frame.rank, answers);
  }
  hand_out(answers);
}

void PlayedDispatcher::join(const Frame& frame, std::deque<Frame>& answers) {
  std::optional<Rank::Attempt> held;
  if (frame.attempt != 0) held = Rank::attempt_of(frame);
  auto found = seats.find(frame.rank);
  if (found == seats.end() || found->second.instance != frame.text(Key::instance)) {
    take_out(frame.rank);
    if (refuses)
      return answers.push_back(
          about(Type::refused, frame.rank).with(Key::instance, frame.text(Key::instance)));
    seats[frame.rank].instance = frame.text(Key::instance);
    answers.push_back(about(Type::welcome, frame.rank).with(Key::instance, frame.text(Key::instance)));
    if (held) answers.push_back(about(Type::cancel, frame.rank, *held));
    return;
  }
  Seat& seat = found->second;
  seat.is_away = false;
  answers.push_back(about(Type::welcome, frame.rank).with(Key::instance, seat.instance));
  bool is_kept = seat.running && held && *held == *seat.running;
  if (held && (!is_kept || seat.is_discarded)) answers.push_back(about(Type::cancel, frame.rank, *held));
  if (seat.running && !is_kept) {
    if (!seat.is_discarded) queue_.push_front(seat.running->task);
    seat.running.reset();
  }
  if (seat.is_leaving && !seat.running) dismiss(frame.rank, answers);
}

}  // namespace tenkai::tests
