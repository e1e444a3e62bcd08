// What the user knows of a batch system that takes no more jobs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "launcher/launch.h"
#include "launcher/scaling.h"

namespace tenkai {

class Full {
 public:
  // Those of some failed launches that are news, in their order. Where daemons are launched
  // as there is work, that it is still full is told once, until a launch has found room.
  std::vector<const Launch*> news(const std::vector<const Launch*>& failed,
                                  const std::optional<Scaling>& scaling);
  void on_joined(const Launch& launch);

 private:
  // The last launch of which the user was told, or knows, that there was no room for it.
  std::optional<std::uint64_t> since_;
};

}  // namespace tenkai
