#include "process/restarts.h"

#include <cstddef>

namespace tenkai {

std::optional<std::chrono::milliseconds> Restarts::on_ended(Time now, std::optional<Time> joined,
                                                            bool worked) {
  bool good = worked || (joined && now - *joined >= short_life);
  failures_ = good ? 0 : failures_ + 1;
  if (failures_ < 2) return std::chrono::milliseconds(0);
  std::size_t pause = static_cast<std::size_t>(failures_) - 2;
  if (pause >= restart_pauses.size()) return std::nullopt;
  return restart_pauses[pause];
}

}  // namespace tenkai
