#include "process/memory_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace tenkai {
namespace {

constexpr std::chrono::milliseconds usual_pause{500};
constexpr int share_of_time = 10;

}  // namespace

void MemoryWatch::add(pid_t pid) {
  bool is_first = watched_.empty();
  watched_.insert(pid);
  if (is_first) look_after(usual_pause);
}

void MemoryWatch::remove(pid_t pid) {
  watched_.erase(pid);
  if (watched_.empty()) timer_.cancel();
}

void MemoryWatch::look_after(std::chrono::milliseconds pause) {
  timer_.expires_after(pause);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) look();
  });
}

void MemoryWatch::look() {
  auto begun = std::chrono::steady_clock::now();
  std::vector<std::pair<pid_t, MemoryUse>> exceeding;
  for (pid_t pid : watched_) {
    MemoryUse use = resident_memory(pid);
    if (use.bytes <= limit_) continue;
    use.bytes = proportional_memory(use.processes);
    if (use.bytes > limit_) exceeding.emplace_back(pid, std::move(use));
  }
  for (const auto& [pid, use] : exceeding) on_exceeded_(pid, use);
  auto took = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  if (!watched_.empty()) look_after(std::max(usual_pause, took * share_of_time));
}

}  // namespace tenkai
