// The places of a line of a template where values are put in.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

// `{{ key }}` or `{{ key | default }}`. The views are of the line.
struct Placeholder {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view key;
  std::string_view otherwise;
  bool has_default = false;

  // Without a value its line is left out.
  bool is_optional() const { return has_default && otherwise.empty(); }
};

// From left to right. "{{" always begins one.
Result<std::vector<Placeholder>> find_placeholders(std::string_view line);

}  // namespace tenkai
