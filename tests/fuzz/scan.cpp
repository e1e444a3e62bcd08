// Any bytes as R's serialization: either refused with a sentence, or good, and then
// within the limits, and good only as a whole. What is let in as mere data is let
// in as a value, too.
#include "r/src/scan.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using tenkai::Allowed;
using tenkai::Verdict;

constexpr std::uint32_t deepest = 15000;

void require(bool holds) {
  if (!holds) std::abort();
}

// A reason reaches terminals: it is ours, and holds nothing of the bytes.
bool is_clean(const Verdict& verdict) {
  std::string_view reason = verdict.reason;
  for (char c : reason) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return reason.size() + 1 < sizeof verdict.reason;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Verdict any = tenkai::scan(bytes, Allowed::everything, deepest);
  Verdict plain = tenkai::scan(bytes, Allowed::data, deepest);
  require(is_clean(any) && is_clean(plain));
  if (plain.is_good()) require(any.is_good() && !plain.runs_code);
  if (!any.is_good()) return 0;
  require(any.recursion <= deepest);
  require(any.blocks < size && (any.blocks == 0 || any.section == 0));
  require(!tenkai::scan(bytes.substr(0, size - 1), Allowed::everything, deepest).is_good());
  return 0;
}
