// Files of profiles: whatever bytes come, they are a tree within its limits, or one
// problem at a place in the text.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/text.h"
#include "launcher/profile/yaml.h"

namespace {

std::size_t check(const tenkai::YamlNode& node, std::size_t depth) {
  if (depth > tenkai::max_yaml_depth + 1) std::abort();
  if (tenkai::find_unprintable(node.text) || tenkai::find_unprintable(node.key)) std::abort();
  if (node.at.line < 1 || node.at.column < 1) std::abort();
  std::size_t count = 1;
  for (const tenkai::YamlNode& item : node.items) count += check(item, depth + 1);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tenkai::Problems problems;
  auto tree = tenkai::read_yaml("f", {reinterpret_cast<const char*>(data), size}, problems);
  if (tree.has_value() == !problems.empty()) std::abort();
  if (tree) return check(*tree, 1) > tenkai::max_yaml_nodes + 1 ? std::abort(), 1 : 0;
  if (problems.size() != 1 || problems[0].place.at.line < 1 || problems[0].message.empty()) std::abort();
  return 0;
}
