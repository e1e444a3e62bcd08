// The link's part of maps: elements go out, their answers come in several at a time.
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "crossing.h"
#include "link.h"

namespace tenkai {

MapAnswers* Link::map_with(std::uint64_t element) {
  MapAnswers* map = any_map_with(element);
  return map != nullptr && map->users > 0 ? map : nullptr;
}

MapAnswers* Link::any_map_with(std::uint64_t element) {
  if (maps_.empty()) return nullptr;
  auto after = maps_.upper_bound(element);
  if (after == maps_.begin()) return nullptr;
  MapAnswers& map = std::prev(after)->second;
  return map.has(element) ? &map : nullptr;
}

std::uint64_t Link::begin_map(Frame frame, std::uint64_t count, Buffer& shared) {
  frame.task = last_id_ + 1;
  last_id_ += count;
  MapAnswers& map = maps_.emplace(frame.task, MapAnswers(frame.task, count)).first->second;
  map.users = 1;
  map.shared = memory_for_map(shared);
  shared_ += map.shared;
  send(frame, shared);
  return frame.task;
}

void Link::send_elements(const Frame& frame, Buffer& parcel, const std::vector<std::uint64_t>& sizes) {
  MapAnswers* map = map_with(frame.task);
  if (!is_usable() || map == nullptr || map->left() == 0) return;
  in_flight_ += map->on_sent(sizes);
  send(frame, parcel);
}

void Link::cancel_elements(std::uint64_t first, std::uint64_t count) {
  MapAnswers* map = map_with(first);
  if (map == nullptr || !is_usable() || map->left() == 0) return;
  map->cancel(first, count);
  free_shared(*map);
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
  // Its answers still tell how much is in flight.
  if (map->is_over() || !is_usable()) maps_.erase(map->first());
}

void Link::on_elements_resolved(Frame&& frame) {
  auto after = maps_.upper_bound(frame.task);
  if (after == maps_.begin()) return;
  auto found = std::prev(after);
  MapAnswers& map = found->second;
  std::uint64_t first = frame.task, count = frame.number(Key::count);
  map.on_resolved(std::move(frame));
  in_flight_ -= map.on_freed(first, count);
  free_shared(map);
  ripen(first, count);
  news_ += 1;
  if (map.left() == 0) sayings_.end(map.first());
  if (map.is_over() && map.users == 0) maps_.erase(found);
}

void Link::free_shared(MapAnswers& map) {
  if (map.is_over()) shared_ -= std::exchange(map.shared, 0);
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
