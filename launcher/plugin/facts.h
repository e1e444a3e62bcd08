// What a plugin tells of itself, asked by --facts: one line of JSON, for `tenkai plugins`.
//
//   {"version":"0.1.0","about":"…","lacks":[{"what":"sbatch","means":"…","mend":"…","needed":true}]}
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tenkai {

struct PluginLack {
  std::string what;       // a program or a library
  std::string means;      // what cannot be done without it
  std::string mend;       // what to do
  bool is_needed = true;  // nothing can be launched without it

  bool operator==(const PluginLack&) const = default;
};
using PluginLacks = std::vector<PluginLack>;
using FindLacks = std::function<PluginLacks()>;

struct PluginFacts {
  std::string version;
  std::string about;
  PluginLacks lacks;

  bool operator==(const PluginFacts&) const = default;
};

std::string encode(const PluginFacts& facts);
Result<PluginFacts> parse_facts(std::string_view text);

}  // namespace tenkai
