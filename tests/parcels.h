// Parcels, for tests of who gets them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/parcel.h"

namespace tenkai::tests {

inline std::string parcel_of(const std::vector<std::string>& values) {
  std::string bytes;
  ParcelTable table;
  for (const std::string& value : values) {
    bytes += value;
    table.end_value(bytes.size());
  }
  table.write([&](const char* more, std::size_t size) { bytes.append(more, size); });
  return bytes;
}

}  // namespace tenkai::tests
