// The bytes of R's serialization, read piece by piece, never beyond their end.
//
// What does not fit throws Refused; scan() catches it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace tenkai::serialization {

struct Refused {
  const char* why;
  bool beyond_data = false;  // then `why` says what was found
};

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  // From here on numbers are big endian.
  void swap() { swapped_ = true; }
  bool is_swapped() const { return swapped_; }
  std::uint64_t left() const { return static_cast<std::uint64_t>(end_ - at_); }
  std::uint64_t position() const { return static_cast<std::uint64_t>(at_ - begin_); }
  std::uint64_t size() const { return static_cast<std::uint64_t>(end_ - begin_); }
  const char* here() const { return at_; }

  std::int32_t number() {
    if (left() < sizeof(std::int32_t)) throw Refused{"it is cut off"};
    std::int32_t value = number_at(at_);
    at_ += sizeof value;
    return value;
  }
  std::int32_t number_at(const char* place) const {
    std::uint32_t value;
    std::memcpy(&value, place, sizeof value);
    return static_cast<std::int32_t>(swapped_ ? __builtin_bswap32(value) : value);
  }
  double real_at(const char* place) const {
    std::uint64_t bits;
    std::memcpy(&bits, place, sizeof bits);
    if (swapped_) bits = __builtin_bswap64(bits);
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  std::string_view take(std::uint64_t size) {
    if (size > left()) throw Refused{"it announces more than there is"};
    std::string_view taken(at_, static_cast<std::size_t>(size));
    at_ += size;
    return taken;
  }
  // How many elements follow, each of which takes at least so many bytes.
  std::uint64_t length(std::uint64_t bytes_each) {
    std::int32_t announced = number();
    if (announced < -1) throw Refused{"it announces a negative length"};
    std::uint64_t length = static_cast<std::uint32_t>(announced);
    if (announced == -1) {
      auto upper = static_cast<std::uint32_t>(number());
      auto lower = static_cast<std::uint32_t>(number());
      length = std::uint64_t{upper} << 32 | lower;
    }
    demand(length, bytes_each);
    return length;
  }
  // A count that is never given in the long form.
  std::uint64_t count(std::uint64_t bytes_each) {
    std::int32_t announced = number();
    if (announced < 0) throw Refused{"it announces a negative length"};
    demand(static_cast<std::uint64_t>(announced), bytes_each);
    return static_cast<std::uint64_t>(announced);
  }

 private:
  // Multiplies where a division would be safer to read: it is done for each vector.
  // Nothing overflows, for no memory is that large.
  void demand(std::uint64_t length, std::uint64_t bytes_each) const {
    if (length > left() || length * bytes_each > left()) throw Refused{"it announces more than there is"};
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool swapped_ = false;
};

}  // namespace tenkai::serialization
