// Several values in one payload: elements of a map on their way to a daemon, or their
// results on the way back.
//
//   the bytes of one value behind those of the other | where each ends (8 bytes) | how many (8 bytes)
//
// Numbers are little endian. The table stands behind the values, so that a parcel is
// written as it grows. C++17 and nothing else, because the R package includes it.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace tenkai {

// The most values of one parcel.
inline constexpr std::uint64_t max_in_parcel = 65536;

// Looks at bytes that the caller keeps alive.
class Parcel {
 public:
  // Nothing where the bytes are no parcel.
  static std::optional<Parcel> in(std::string_view bytes) {
    std::optional<Parcel> parcel = trusted(bytes);
    if (!parcel) return std::nullopt;
    std::uint64_t before = 0;
    for (std::uint64_t i = 0; i < parcel->count_; ++i) {
      std::uint64_t end = parcel->end_of(i);
      if (end < before) return std::nullopt;
      before = end;
    }
    if (before != bytes.size() - table_size(parcel->count_)) return std::nullopt;
    return parcel;
  }
  // The same, of bytes that have been looked at before.
  static std::optional<Parcel> trusted(std::string_view bytes) {
    if (bytes.size() < 8) return std::nullopt;
    std::uint64_t count = number(bytes.data() + bytes.size() - 8);
    if (count == 0 || count > max_in_parcel || bytes.size() < table_size(count)) return std::nullopt;
    return Parcel(bytes, count);
  }

  std::uint64_t count() const { return count_; }
  // Where a value stands in the parcel.
  std::uint64_t begin_of(std::uint64_t i) const { return i == 0 ? 0 : end_of(i - 1); }
  std::uint64_t length_of(std::uint64_t i) const { return end_of(i) - begin_of(i); }
  std::string_view operator[](std::uint64_t i) const { return bytes_.substr(begin_of(i), length_of(i)); }
  // How much `count` values from `first` on take in a parcel of their own.
  std::uint64_t size_of(std::uint64_t first, std::uint64_t count) const {
    return begin_of(first + count) - begin_of(first) + table_size(count);
  }
  // These values, as such a parcel. Throws std::bad_alloc.
  Payload slice(std::uint64_t first, std::uint64_t count) const {
    std::uint64_t begin = begin_of(first);
    std::uint64_t size = begin_of(first + count) - begin;
    Bytes made(size + table_size(count));
    char* at = made.data();
    std::memcpy(at, bytes_.data() + begin, size);
    at += size;
    for (std::uint64_t i = first; i < first + count; ++i) put(at, end_of(i) - begin);
    put(at, count);
    return std::make_shared<const Bytes>(std::move(made));
  }

  static std::uint64_t table_size(std::uint64_t count) { return 8 * (count + 1); }

 private:
  Parcel(std::string_view bytes, std::uint64_t count)
      : bytes_(bytes), table_(bytes.data() + bytes.size() - table_size(count)), count_(count) {}

  static std::uint64_t number(const char* at) {
    std::uint64_t number = 0;
    for (int i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(at[i]);
    return number;
  }
  static void put(char*& at, std::uint64_t number) {
    for (int i = 0; i < 8; ++i) *at++ = static_cast<char>(number >> (8 * i));
  }
  std::uint64_t end_of(std::uint64_t i) const { return number(table_ + 8 * i); }

  std::string_view bytes_;
  const char* table_;
  std::uint64_t count_;
};

// What stands behind the values of a parcel that is being written.
class ParcelTable {
 public:
  // The value that ends where so many bytes are written.
  void end_value(std::uint64_t written) { ends_.push_back(written); }
  // Takes back all values but the first so many.
  void keep(std::size_t count) { ends_.resize(count); }
  std::size_t count() const { return ends_.size(); }
  bool is_full() const { return ends_.size() >= max_in_parcel; }
  void clear() { ends_.clear(); }
  // Calls append(bytes, size) once.
  template <class Append>
  void write(Append&& append) {
    ends_.push_back(ends_.size());
    for (std::uint64_t& end : ends_) {
      char bytes[8];
      for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(end >> (8 * i));
      std::memcpy(&end, bytes, sizeof end);
    }
    append(reinterpret_cast<const char*>(ends_.data()), ends_.size() * sizeof ends_[0]);
    ends_.clear();
  }

 private:
  std::vector<std::uint64_t> ends_;
};

}  // namespace tenkai
