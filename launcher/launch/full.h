// What the user knows of a batch system that takes no more jobs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "launcher/launch/launch.h"
#include "launcher/launch/scaling.h"

namespace tenkai {

class Full {
 public:
  // Which of these failed launches the user does not know of yet, in their order. Where daemons
  // are launched as there is work, it is told once that there is no room, until a launch has
  // found some.
  std::vector<const Launch*> news(const std::vector<const Launch*>& failed,
                                  const std::optional<Scaling>& scaling);
  void on_joined(const Launch& launch);

 private:
  // The last launch that the user knows to have found no room.
  std::optional<std::uint64_t> since_;
};

}  // namespace tenkai
