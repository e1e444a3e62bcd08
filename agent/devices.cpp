#include "agent/devices.h"

#include <cstdlib>

#include "base/text.h"

namespace tenkai {

std::string share_of_devices(std::string_view list, std::size_t number, std::size_t daemons) {
  std::vector<std::string_view> all = split(list, ',');
  if (all.size() < daemons) return std::string(all[number % all.size()]);
  std::size_t each = all.size() / daemons;
  std::string share;
  for (std::size_t i = number * each; i < (number + 1) * each; ++i) {
    share += (share.empty() ? "" : ",") + std::string(all[i]);
  }
  return share;
}

std::vector<std::pair<std::string, std::string>> device_variables(std::size_t number, std::size_t daemons) {
  std::vector<std::pair<std::string, std::string>> variables;
  if (daemons < 2) return variables;
  for (const char* name :
       {"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"}) {
    const char* list = std::getenv(name);
    if (list == nullptr || *list == '\0') continue;
    variables.emplace_back(name, share_of_devices(list, number, daemons));
  }
  return variables;
}

}  // namespace tenkai
