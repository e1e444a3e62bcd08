#include "map_answers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/error_code.h"
#include "base/parcel.h"

namespace tenkai {

std::uint64_t MapAnswers::on_resolved(Frame&& frame) {
  if (!has(frame.task)) return 0;
  std::uint64_t count = std::min(frame.number(Key::count), first_ + count_ - frame.task);
  auto answer = std::make_shared<Answer>();
  answer->code = frame.number(Key::code);
  answer->message = frame.text(Key::message);
  if (answer->code == 0) {
    std::optional<Parcel> parcel = Parcel::in(view_of(frame.payload));
    if (parcel && parcel->count() >= count) {
      answer->payload = std::move(frame.payload);
    } else {
      answer->code = static_cast<std::uint64_t>(Code::protocol_error);
      answer->message = "invalid result: fewer values came than were announced";
    }
  }
  if (answer->code != 0 || frame.number(Key::failed) == 1)
    first_failed_ = std::min(first_failed_.value_or(frame.task), frame.task);
  return fill(frame.task, count, answer);
}

std::uint64_t MapAnswers::cancel(std::uint64_t from, std::uint64_t count) {
  auto answer = std::make_shared<Answer>();
  answer->code = static_cast<std::uint64_t>(Code::cancelled);
  return fill(from, count, answer);
}

std::uint64_t MapAnswers::fill(std::uint64_t from, std::uint64_t count,
                               const std::shared_ptr<const Answer>& answer) {
  std::uint64_t begin = from, end = from + count, filled = 0;
  auto next = answers_.upper_bound(begin);
  if (next != answers_.begin()) {
    auto before = std::prev(next);
    begin = std::max(begin, before->first + before->second.count);
  }
  while (begin < end) {
    std::uint64_t gap_end = next == answers_.end() ? end : std::min(end, next->first);
    if (gap_end > begin) {
      filled += gap_end - begin;
      if (wanted_) answers_.emplace_hint(next, begin, Some{gap_end - begin, begin - from, answer});
    }
    if (next == answers_.end()) break;
    begin = next->first + next->second.count;
    ++next;
  }
  left_ -= std::min(filled, left_);
  return filled;
}

MapAnswers::Answers::const_iterator MapAnswers::find(std::uint64_t element) const {
  auto after = answers_.upper_bound(element);
  if (after == answers_.begin()) return answers_.end();
  auto found = std::prev(after);
  return element - found->first < found->second.count ? found : answers_.end();
}

std::optional<Answer> MapAnswers::answer_to(std::uint64_t element) const {
  auto found = find(element);
  if (found == answers_.end()) return std::nullopt;
  const auto& [first, some] = *found;
  Answer answer;
  answer.code = some.answer->code;
  answer.message = some.answer->message;
  if (answer.code != 0) return answer;
  const Payload& whole = some.answer->payload;
  Parcel parcel = *Parcel::trusted(view_of(whole));
  std::uint64_t at = some.skip + (element - first);
  answer.payload =
      std::make_shared<const Bytes>(Bytes::part_of(whole, parcel.begin_of(at), parcel.length_of(at)));
  return answer;
}

// A piece of one element has a table of its own, of two numbers.
std::uint64_t MapAnswers::on_sent(const std::vector<std::uint64_t>& sizes) {
  std::uint64_t bytes = 0;
  for (std::uint64_t size : sizes) {
    sent_.push_back(size + Parcel::table_size(1));
    bytes += sent_.back();
  }
  unanswered_ += sizes.size();
  return bytes;
}

std::uint64_t MapAnswers::on_freed(std::uint64_t from, std::uint64_t count) {
  std::uint64_t bytes = 0, end = std::min<std::uint64_t>(from - first_ + count, sent_.size());
  for (std::uint64_t i = from - first_; i < end; ++i) {
    if (sent_[i] > 0) --unanswered_;
    bytes += std::exchange(sent_[i], 0);
  }
  return bytes;
}

void MapAnswers::drop() {
  answers_.clear();
  wanted_ = false;
}

}  // namespace tenkai
