// Where a payload is serialized to: a block of memory, and, from a size on, a
// memory file.
//
// Large payloads travel between the processes of one machine as files whose
// descriptor is passed on, so their bytes are copied once into the file and once
// out of it, however many processes lie between; those of large vectors (blocks.h)
// into it only. They are written with write(): the kernel fills fresh pages from R's
// own vector, without faults and without zeroing them first. Where there is no file
// to be had, or no room in it, the content stays in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/frame.h"

namespace tenkai {

class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  // Fails as R does (Rf_error), and leaves the buffer as it was.
  void append(const void* bytes, std::size_t size) {
    if (file_ >= 0 || held_ + size > file_size) {
      if (append_to_file(bytes, size)) return;
    }
    if (capacity_ - held_ < size) grow(held_ + size);
    std::memcpy(data_ + held_, bytes, size);
    held_ += size;
  }
  // What is in another one, which may be empty afterwards.
  void append(Buffer& other);
  std::size_t size() const { return written_ + held_; }
  bool is_in_file() const { return file_ >= 0; }
  // The content, where it is not in a file.
  std::string_view view() const { return {data_, held_}; }
  // The file, complete and sealed; it belongs to the caller from now on. -1 where
  // the content is in memory now. Throws std::bad_alloc.
  int seal();
  void clear();

  // A large vector whose numbers are in here, from this byte on.
  struct Block {
    const void* address;
    std::size_t size;
    std::size_t begin;
    std::uint64_t mapping;  // that has nothing but these numbers (mapping.h); 0: none is known
  };
  // One is appended next. May throw std::bad_alloc.
  void note_block(const void* numbers, std::size_t size, std::uint64_t mapping) {
    blocks_.push_back({numbers, size, this->size(), mapping});
  }
  const std::vector<Block>& blocks() const { return blocks_; }
  // The blocks of the value that are in the files of other payloads.
  std::vector<SharedBlock>& shared() { return shared_; }

 private:
  bool append_to_file(const void* bytes, std::size_t size);
  bool open_file();
  bool write_out(const char* bytes, std::size_t size);
  bool flush();
  bool give_file_up();
  void grow(std::size_t size);

  char* data_ = nullptr;
  std::size_t held_ = 0;
  std::size_t capacity_ = 0;
  int file_ = -1;
  std::size_t written_ = 0;    // to the file
  bool without_file_ = false;  // the system has none to give, or no room in it
  std::vector<Block> blocks_;
  std::vector<SharedBlock> shared_;
};

}  // namespace tenkai
