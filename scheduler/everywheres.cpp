#include "scheduler/everywheres.h"

#include <algorithm>
#include <utility>

#include "base/shared_blocks.h"

namespace tenkai {

void refuse(SessionId session, const Wanted& tasks, const std::string& reason, Sends& sends) {
  for (std::uint64_t i = 0; i < tasks.count; ++i) {
    sends.emplace_back(Resolve{{session, tasks.first + i}, Code::reset, reason, {}, false});
  }
}

void Everywheres::add(Everywhere made, const Wanted& wanted, const std::vector<DaemonId>& here,
                      Sends& sends) {
  made.next = wanted.first;
  made.end = wanted.first + wanted.count;
  for (DaemonId daemon : here) {
    if (made.next == made.end) break;
    made.awaited[daemon] = made.next++;
  }
  std::uint64_t later = wanted.minimum - std::min<std::uint64_t>(wanted.minimum, made.awaited.size());
  std::uint64_t end = made.next + std::min(later, made.end - made.next);
  refuse(made.session, {end, made.end - end}, "a daemon that was there when everywhere() was called is gone",
         sends);
  made.end = end;
  memory_ += size_with_files(made.payload);
  all_.emplace(made.sequence, std::move(made));
}

void Everywheres::close(SessionId session) {
  for (auto at = all_.begin(); at != all_.end();) {
    if (at->second.session != session) {
      ++at;
      continue;
    }
    memory_ -= size_with_files(at->second.payload);
    at = all_.erase(at);
  }
}

void Everywheres::on_joined(DaemonId daemon) {
  for (auto& [sequence, everywhere] : all_) {
    if (everywhere.next < everywhere.end) everywhere.awaited[daemon] = everywhere.next++;
  }
}

void Everywheres::on_left(const Gone& gone, Code code, const std::string& how, Sends& sends) {
  for (auto& [sequence, everywhere] : all_) {
    auto task = everywhere.awaited.extract(gone.id);
    if (task.empty()) continue;
    bool began = gone.running == everywhere.key();
    std::string reason = gone.name + " " + how + (began ? " while" : " before") + " it ran everywhere()";
    sends.emplace_back(Resolve{{everywhere.session, task.mapped()}, code, std::move(reason), {}, false});
  }
}

void Everywheres::on_answer(const TaskKey& key, DaemonId daemon, Resolve value, Sends& sends) {
  Everywhere* everywhere = find(key);
  if (everywhere == nullptr) return;
  auto task = everywhere->awaited.extract(daemon);
  if (task.empty()) return;
  value.key = {key.session, task.mapped()};
  sends.emplace_back(std::move(value));
}

void Everywheres::on_failed(const TaskKey& key, std::size_t slot, std::string text, Sends& sends) {
  Everywhere* everywhere = find(key);
  if (everywhere == nullptr || !everywhere->told.insert(slot).second) return;
  sends.emplace_back(Tell{key.session, std::move(text)});
}

void Everywheres::give_up(const std::string& reason, Sends& sends) {
  for (auto& [sequence, everywhere] : all_) {
    refuse(everywhere.session, {everywhere.next, everywhere.end - everywhere.next}, reason, sends);
    everywhere.end = everywhere.next;
  }
}

const Everywheres::Everywhere* Everywheres::after(std::uint64_t sequence) const {
  auto next = all_.upper_bound(sequence);
  return next == all_.end() ? nullptr : &next->second;
}

std::optional<SessionId> Everywheres::waiting() const {
  auto open = std::find_if(all_.begin(), all_.end(),
                           [](const auto& each) { return each.second.next < each.second.end; });
  if (open == all_.end()) return std::nullopt;
  return open->second.session;
}

// Null: its session has left.
Everywheres::Everywhere* Everywheres::find(const TaskKey& key) {
  auto found = all_.find(key.task & ~everywhere_bit);
  return found == all_.end() ? nullptr : &found->second;
}

}  // namespace tenkai
