// The elements of maps: how they come, are cut into pieces for daemons, and come back.
//
// A piece is a task with the number of its first element. Its elements are answered from the
// front; what is left after an answer, or between elements that were cancelled, is a piece
// again, which stands in the queue where its elements have always stood.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/parcel.h"
#include "base/shared_blocks.h"
#include "scheduler/dispatcher.h"

namespace tenkai {

Sends Dispatcher::on_map(Time now, SessionId session, Map map) {
  now_ = now;
  Sends sends;
  if (!tasks_.knows(session)) return sends;
  TaskKey key{session, map.first};
  bool in_range = map.count > 0 && map.first < everywhere_bit && map.count <= everywhere_bit - map.first;
  auto next = maps_.lower_bound(key);
  bool overlaps = in_range && (map_with(key) || (next != maps_.end() && next->first.session == session &&
                                                 next->first.task - map.first < map.count));
  if (!in_range || overlaps) {
    sends.emplace_back(Tell{session, "a map with elements that have no number of their own was ignored"});
    return sends;
  }
  std::string refusal = refusal_of(size_with_files(map.shared));
  if (!refusal.empty()) {
    sends.emplace_back(
        Resolve{key, Code::out_of_memory, "the map was not taken: " + refusal, {}, false, {}, map.count});
    return sends;
  }
  auto work = std::make_shared<MapWork>();
  work->first = map.first;
  work->count = work->left = map.count;
  work->sequence = next_sequence_;
  work->shared = std::move(map.shared);
  work->chunk = map.chunk;
  next_sequence_ += map.count;
  shared_memory_ += size_with_files(work->shared);
  peak_memory_ = std::max(peak_memory_, memory());
  maps_.emplace(key, std::move(work));
  return sends;
}

Sends Dispatcher::on_elements(Time now, SessionId session, std::uint64_t first, Payload parcel) {
  now_ = now;
  Sends sends;
  std::shared_ptr<MapWork> map = map_with({session, first});
  std::uint64_t count = Parcel::trusted(view_of(parcel))->count();
  if (!map || first != map->first + map->received || count > map->count - map->received) return sends;
  map->received += count;
  Task task;
  task.key = {session, first};
  task.sequence = map->sequence + (first - map->first);
  task.payload = std::move(parcel);
  task.map = map;
  task.count = task.in_parcel = count;
  std::string refusal = refusal_of(bytes_of(task));
  if (!refusal.empty()) {
    sends.emplace_back(failure_of(task, Code::out_of_memory, "the elements were not taken: " + refusal));
    return sends;
  }
  enqueue(add(std::move(task)));
  peak_memory_ = std::max(peak_memory_, memory());
  hand_out(sends);
  notice_what_waits(sends);
  return sends;
}

Sends Dispatcher::on_piece_finished(Time now, DaemonId id, Piece answer) {
  now_ = now;
  Sends sends;
  sends.reserve(2);
  if (awaited(id, answer.key, answer.attempt) == nullptr) return sends;
  Daemon* daemon = find(id);
  Running ended = end_attempt(*daemon);
  Slot& slot = slots_[daemon->slot];
  if (ended.discarded) {
    slot.complete += ended.count;
  } else {
    Task piece = take(*tasks_.find(answer.key));
    std::uint64_t done = std::min(answer.count, piece.count);
    if (done > 0) piece.map->on_measured(answer.usage.wall_us, done);
    // We have interrupted it because of an element that was cancelled, which may be another.
    if (answer.interrupted && ended.interrupted && done > 0) --done;
    slot.complete += done;
    slot.assigned -= piece.count - done;
    if (done == 0 && !ended.interrupted) {
      std::string reason = name_of(*daemon) + " has answered none of the elements that it was given";
      sends.emplace_back(failure_of(piece, Code::reset, std::move(reason)));
    } else {
      std::uint64_t cancelled = requeue_rest(piece, done);
      if (done > 0) {
        on_resolved(*piece.map, piece.key, done - cancelled);
        sends.emplace_back(Resolve{piece.key,
                                   Code::none,
                                   {},
                                   std::move(answer.payload),
                                   answer.failed,
                                   answer.usage,
                                   done,
                                   std::move(piece.payload)});
      }
    }
  }
  go_on_after_answer(*daemon, answer.last, sends);
  if (!queue_.empty()) hand_out(sends);
  return sends;
}

// --- looking up ---

std::shared_ptr<MapWork> Dispatcher::map_with(const TaskKey& element) const {
  if (maps_.empty()) return nullptr;
  auto after = maps_.upper_bound(element);
  if (after == maps_.begin()) return nullptr;
  const auto& [key, map] = *std::prev(after);
  return key.session == element.session && map->has(element.task) ? map : nullptr;
}

// --- pieces ---

Task& Dispatcher::add(Task task) {
  if (task.map) task.map->pieces.insert(task.key.task);
  return tasks_.add(std::move(task));
}

Task Dispatcher::take(const Task& task) {
  if (task.map) task.map->pieces.erase(task.key.task);
  return tasks_.take(task);
}

// So many elements of a piece, as a piece that is not known yet.
Task Dispatcher::part_of(const Task& piece, std::uint64_t skip, std::uint64_t count) const {
  Task part;
  part.key = {piece.key.session, piece.key.task + skip};
  part.sequence = piece.sequence + skip;
  part.payload = piece.payload;
  part.attempts = piece.attempts;
  part.map = piece.map;
  part.count = count;
  part.skip = piece.skip + skip;
  part.in_parcel = piece.in_parcel;
  return part;
}

// The front of a piece in the queue, as long as a daemon should have it.
Task& Dispatcher::fitting(Task& task) {
  if (!task.map || task.place != Task::Place::queued) return task;
  std::uint64_t size = piece_size(*task.map, takers_.size());
  if (size >= task.count) return task;
  queue_.remove(task);
  Task piece = take(task);
  enqueue(add(part_of(piece, size, piece.count - size)));
  Task& front = add(part_of(piece, 0, size));
  enqueue(front);
  return front;
}

void Dispatcher::assign_piece(Daemon& daemon, const Task& piece, Sends& sends) {
  daemon.running->count = piece.count;
  daemon.running->is_piece = true;
  if (std::exchange(daemon.shares, piece.map->sequence) != piece.map->sequence)
    sends.emplace_back(Share{daemon.id, {piece.key.session, piece.map->first}, piece.map->shared});
  Assign assign{daemon.id, piece.key, piece.attempts, TaskKind::elements, payload_for_daemon(piece), {}};
  if (piece.map->chunk == 0 && piece.count > 1) assign.patience = patience_with_piece;
  sends.emplace_back(std::move(assign));
}

// What was not answered, and is still wanted. `piece` has been taken. How many of those that
// were answered had been cancelled.
std::uint64_t Dispatcher::requeue_rest(const Task& piece, std::uint64_t done) {
  std::set<std::uint64_t>& cancelled = piece.map->cancelled;
  std::uint64_t first = piece.key.task, end = first + piece.count;
  std::uint64_t begin = first + done, of_answered = 0;
  auto next = cancelled.lower_bound(first);
  while (next != cancelled.end() && *next < end) {
    if (*next < first + done) ++of_answered;
    if (*next > begin) enqueue(add(part_of(piece, begin - first, *next - begin)));
    begin = std::max(begin, *next + 1);
    next = cancelled.erase(next);
  }
  if (begin < end) enqueue(add(part_of(piece, begin - first, end - begin)));
  return of_answered;
}

// Any of them may have ended the daemon. Alone, they are found out, and that counts.
void Dispatcher::requeue_one_by_one(const Task& piece) {
  Task gone = take(piece);
  for (std::uint64_t i = 0; i < gone.count; ++i) {
    if (gone.map->cancelled.erase(gone.key.task + i) == 0) enqueue(add(part_of(gone, i, 1)));
  }
}

// --- the end of elements ---

void Dispatcher::on_resolved(const MapWork& map, const TaskKey& element, std::uint64_t count) {
  auto found = maps_.find({element.session, map.first});
  if (found == maps_.end()) return;
  MapWork& work = *found->second;
  work.left -= std::min(count, work.left);
  if (work.left == 0) forget_map(found);
}

void Dispatcher::forget_map(Maps::iterator map) {
  shared_memory_ -= size_with_files(map->second->shared);
  maps_.erase(map);
}

// The one answer to a task that has been taken.
Resolve Dispatcher::failure_of(const Task& task, Code code, std::string reason) {
  if (task.map) on_resolved(*task.map, task.key, task.count);
  return {task.key, code, std::move(reason), {}, false, {}, task.map ? task.count : 0};
}

void Dispatcher::cancel_elements(MapWork& map, SessionId session, std::uint64_t first, std::uint64_t end,
                                 Sends& sends) {
  std::uint64_t received = map.first + map.received;
  if (first <= received && received < end && end == map.first + map.count) {
    // The rest of the map does not come any more.
    map.received = map.count;
    on_resolved(map, {session, map.first}, end - received);
  }
  auto at = map.pieces.upper_bound(first);
  if (at != map.pieces.begin()) --at;
  while (at != map.pieces.end() && *at < end) {
    const Task& found = *tasks_.find({session, *at++});
    std::uint64_t from = std::max(first, found.key.task), to = std::min(end, found.key.task + found.count);
    if (from >= to) continue;
    if (found.place == Task::Place::running) {
      cancel_running(found, from, to, sends);
      continue;
    }
    withdraw(now_, found, sends);
    Task piece = take(found);
    Task part = part_of(piece, from - piece.key.task, to - from);
    if (from > piece.key.task) enqueue(add(part_of(piece, 0, from - piece.key.task)));
    std::uint64_t rest = piece.key.task + piece.count - to;
    if (rest > 0) enqueue(add(part_of(piece, piece.count - rest, rest)));
    sends.emplace_back(failure_of(part, Code::cancelled, {}));
  }
  if (rules_.policy == Policy::direct) hand_out(sends);
}

void Dispatcher::cancel_running(const Task& piece, std::uint64_t first, std::uint64_t end, Sends& sends) {
  MapWork& map = *piece.map;
  std::uint64_t before = map.cancelled.size();
  for (std::uint64_t element = first; element < end; ++element) map.cancelled.insert(element);
  std::uint64_t more = map.cancelled.size() - before;
  if (more == 0) return;
  std::uint64_t begin = piece.key.task;
  auto from = map.cancelled.lower_bound(begin), to = map.cancelled.lower_bound(begin + piece.count);
  bool all = static_cast<std::uint64_t>(std::distance(from, to)) == piece.count;
  // Some of these may have been cancelled before.
  sends.emplace_back(Resolve{{piece.key.session, first}, Code::cancelled, {}, {}, false, {}, end - first});
  Daemon& daemon = *find(piece.daemon);
  TaskKey key = piece.key;
  std::shared_ptr<MapWork> kept = piece.map;
  if (all) {
    map.cancelled.erase(from, to);
    daemon.running->discarded = true;
    take(piece);
  }
  interrupt(now_, daemon, sends);
  on_resolved(*kept, key, more);
}

}  // namespace tenkai
