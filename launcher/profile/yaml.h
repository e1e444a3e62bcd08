// YAML as a tree that remembers where everything was written, and as what text.
//
// yaml-cpp reads it through its event interface. Its own nodes would hide that a key
// stands there twice, and expand aliases, by which 300 bytes become 300 MB. There are
// no aliases, no tags and no second document here, and scalars have no types: `no`,
// `010`, `1e3` and `1:30:00` are the texts that were typed, until a key says what its
// value is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/profile/place.h"

namespace tenkai {

inline constexpr std::size_t max_yaml_bytes = 1024 * 1024;
inline constexpr std::size_t max_yaml_depth = 32;
inline constexpr std::size_t max_yaml_nodes = 100'000;

struct YamlNode {
  enum class Kind { null, scalar, sequence, mapping } kind = Kind::null;
  Position at;
  std::string text;             // of a scalar
  std::vector<YamlNode> items;  // of a sequence; of a mapping, in their order
  std::string key;              // in a mapping: the key that it stands behind
  Position key_at;
};

// "a list", "a mapping", "nothing"
std::string_view name_of(YamlNode::Kind kind);

// An empty document is null. What cannot be read is one more problem of `file`, and
// nothing.
std::optional<YamlNode> read_yaml(const std::string& file, std::string_view text, Problems& problems);

}  // namespace tenkai
