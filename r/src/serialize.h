// R objects to bytes and back, in memory: R's own binary format, version 3.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "crossing.h"

namespace tenkai {

// A block that grows while a message is written into it. Large blocks grow by
// mremap(), which moves pages instead of bytes.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  void append(const void* bytes, std::size_t size) {
    if (capacity_ - size_ < size) grow(size);
    std::memcpy(data_ + size_, bytes, size);
    size_ += size;
  }
  char* data() { return data_; }
  std::size_t size() const { return size_; }
  void clear() { size_ = 0; }
  // The content as a block of its own; the buffer is empty afterwards.
  Bytes take();

 private:
  void grow(std::size_t by);

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// Appends `object`. May jump as R does (no memory, what cannot be serialized).
void serialize(SEXP object, Buffer& into);

// The object in `bytes`. May jump as R does (a package is missing, no memory).
SEXP unserialize(std::string_view bytes);

}  // namespace tenkai
