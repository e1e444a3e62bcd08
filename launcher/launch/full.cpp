#include "launcher/launch/full.h"

namespace tenkai {

std::vector<const Launch*> Full::news(const std::vector<const Launch*>& failed,
                                      const std::optional<Scaling>& scaling) {
  std::vector<const Launch*> news;
  bool asks_again = scaling && scaling->is_scaling();
  bool was_full = since_.has_value();
  for (const Launch* launch : failed) {
    bool is_full = asks_again && launch->failure().cause == cause::submit_limit;
    if (is_full) since_ = launch->number();
    if (!is_full || !was_full) news.push_back(launch);
  }
  return news;
}

void Full::on_joined(const Launch& launch) {
  if (since_ && launch.number() > *since_) since_.reset();
}

}  // namespace tenkai
