// The link's part of maps: elements go out, their answers come in several at a time.
#include <cstdint>
#include <iterator>
#include <utility>

#include "crossing.h"
#include "link.h"

namespace tenkai {

MapAnswers* Link::map_with(std::uint64_t element) {
  if (maps_.empty()) return nullptr;
  auto after = maps_.upper_bound(element);
  if (after == maps_.begin()) return nullptr;
  MapAnswers& map = std::prev(after)->second;
  return map.has(element) && map.users > 0 ? &map : nullptr;
}

std::uint64_t Link::begin_map(Frame frame, std::uint64_t count, Buffer& shared) {
  frame.task = last_id_ + 1;
  last_id_ += count;
  MapAnswers& map = maps_.emplace(frame.task, MapAnswers(frame.task, count)).first->second;
  map.users = 1;
  map.in_flight = shared.size();
  in_flight_ += map.in_flight;
  send(frame, shared);
  return frame.task;
}

void Link::send_elements(const Frame& frame, Buffer& parcel) {
  if (!is_usable()) return;
  if (MapAnswers* map = map_with(frame.task)) map->in_flight += parcel.size();
  in_flight_ += parcel.size();
  send(frame, parcel);
}

void Link::cancel_elements(std::uint64_t first, std::uint64_t count) {
  MapAnswers* map = map_with(first);
  if (map == nullptr || !is_usable() || map->left() == 0) return;
  map->cancel(first, count);
  ripen(first, count);
  news_ += 1;
  Frame frame(Type::cancel);
  frame.task = first;
  stream_.send(frame.with(Key::count, count));
}

void Link::leave_map(std::uint64_t element) {
  MapAnswers* map = map_with(element);
  if (map == nullptr || --map->users > 0) return;
  map->drop();
  if (map->left() > 0 && is_usable()) return;  // its answers still tell how much is in flight
  in_flight_ -= map->in_flight;
  maps_.erase(map->first());
}

void Link::on_elements_resolved(Frame&& frame) {
  auto after = maps_.upper_bound(frame.task);
  if (after == maps_.begin()) return;
  auto found = std::prev(after);
  MapAnswers& map = found->second;
  std::uint64_t before = map.left(), first = frame.task, count = frame.number(Key::count);
  map.on_resolved(std::move(frame));
  ripen(first, count);
  news_ += 1;
  // About as much as their part of it: what the elements were sent with goes with the last.
  std::uint64_t freed = map.left() == 0 ? map.in_flight : map.in_flight / before * (before - map.left());
  map.in_flight -= freed;
  in_flight_ -= freed;
  if (map.left() == 0) sayings_.end(map.first());
  if (map.left() == 0 && map.users == 0) maps_.erase(found);
}

// Those of so many tasks that a promise waits for.
void Link::ripen(std::uint64_t first, std::uint64_t count) {
  for (auto at = watched_.lower_bound(first); at != watched_.end() && *at - first < count;) ripen(*at++);
}

bool Link::wait_for_news() {
  std::uint64_t before = news_;
  while (news_ == before && is_usable()) {
    if (has_notes()) return false;
    wait_a_little();
    if (news_ == before) check_interrupts();
  }
  return true;
}

}  // namespace tenkai
