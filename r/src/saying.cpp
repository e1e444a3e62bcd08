#include "saying.h"

#include <string_view>
#include <utility>

#include "base/parcel.h"

namespace tenkai {

namespace {

// The most that has come and was not told yet.
constexpr std::size_t most_bytes = 16 * 1024 * 1024;
// Tasks whose last frame is known.
constexpr std::size_t most_tasks = 65536;

std::uint64_t number_in(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

bool is_relayed(unsigned char kind) { return kind == 1 || kind == 2 || kind == 4 || kind == 8; }

}  // namespace

void Sayings::add(const Frame& said, std::uint64_t of) {
  std::optional<Parcel> parcel = Parcel::in(view_of(said.payload));
  if (!parcel) return;
  if (last_.size() > most_tasks) last_.clear();
  Last& last = last_[said.task];
  if (last.attempt != said.attempt) last = {said.attempt, 0};
  bool is_next = said.number(Key::number) == last.number + 1;
  last.number = said.number(Key::number);
  if (!is_next) push({Saying::Kind::gap, said.task, of});
  for (std::uint64_t i = 0; i < parcel->count(); ++i) {
    std::string_view value = (*parcel)[i];
    if (value.size() <= Saying::head || !is_relayed(static_cast<unsigned char>(value[0]))) continue;
    std::uint64_t place = number_in(value.substr(1, 8));
    if (place >= max_in_parcel) continue;
    push({static_cast<Saying::Kind>(value[0]), said.task + place, of, std::string(value.substr(Saying::head)),
          said.attempt});
  }
}

void Sayings::push(Saying saying) {
  bool is_left_out = bytes_ + saying.bytes.size() > most_bytes;
  bool is_told = !waiting_.empty() && waiting_.back().kind == Saying::Kind::gap;
  if (is_left_out && is_told) return;
  if (is_left_out) saying = {Saying::Kind::gap, saying.task, saying.of};
  bytes_ += saying.bytes.size();
  waiting_.push_back(std::move(saying));
}

void Sayings::end(std::uint64_t task) {
  last_.erase(task);
  waiting_.push_back({Saying::Kind::end, task, task});
}

std::optional<Saying> Sayings::take() {
  if (waiting_.empty()) return std::nullopt;
  Saying first = std::move(waiting_.front());
  waiting_.pop_front();
  bytes_ -= first.bytes.size();
  return first;
}

}  // namespace tenkai
