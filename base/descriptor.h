// A file descriptor that closes itself.
#pragma once

#include <unistd.h>

#include <limits>
#include <utility>

namespace tenkai {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }
  explicit operator bool() const { return descriptor_ >= 0; }

  // A descriptor has the lowest number that was free: from here on the last ones are taken,
  // which are for what is closed again at once.
  bool may_stay() const { return descriptor_ < end_of_lasting; }
  static inline int end_of_lasting = std::numeric_limits<int>::max();

 private:
  int descriptor_ = -1;
};

}  // namespace tenkai
