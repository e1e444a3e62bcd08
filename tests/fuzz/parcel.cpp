// Any bytes: either no parcel, or values that stay within the bytes, in their order, and that
// make the same parcel again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/parcel.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::optional<tenkai::Parcel> parcel = tenkai::Parcel::in(bytes);
  if (!parcel) return 0;
  std::size_t sum = tenkai::Parcel::table_size(parcel->count());
  for (std::uint64_t i = 0; i < parcel->count(); ++i) sum += (*parcel)[i].size();
  require(sum == size);
  require(tenkai::view_of(parcel->slice(0, parcel->count())) == bytes);
  std::uint64_t half = parcel->count() / 2;
  auto rest = parcel->slice(half, parcel->count() - half);
  require(tenkai::Parcel::in(tenkai::view_of(rest)).has_value());
  return 0;
}
