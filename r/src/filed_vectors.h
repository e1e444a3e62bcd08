// Large vectors whose numbers are in a memory file, too: those of tasks that are not answered yet,
// which went out in it, and in a daemon those of its task, which came in it.
//
// A vector that is sent while such a file is in use is not copied: its payload says where it is
// (base/shared_blocks.h). It is looked for by its address and size, which only say where to look:
// what counts is that its numbers are the same. They are where it lies in the mapping that was
// remembered, and R has never asked for an address to write to. Else that is looked at each time,
// because there are packages that change vectors in place. To compare all of them with the file
// takes less time than to make a hash of them, and a vector that is sent once costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "buffer.h"

namespace tenkai {

class FiledVectors {
 public:
  // Those of this process. Never freed: R ends in any order.
  static FiledVectors& of_session();

  // A file in which the vectors of a payload went out, for as long as `file` lives. False where
  // there are so many that this one is not remembered. Throws std::bad_alloc.
  bool add(const std::shared_ptr<const Bytes>& file, const std::vector<Buffer::Block>& blocks);
  bool is_empty() const { return vectors_.empty(); }
  void clear() { vectors_.clear(); }

  // A value is about to be written; then each of its large vectors is named.
  void begin_value();
  void expect(const void* numbers, std::size_t size);
  // Where such a vector is; no file: nowhere, or in one that is mostly something else, which
  // would be kept for its sake. `mapping`: as in Buffer::Block.
  SharedBlock find(const void* numbers, std::size_t size, std::uint64_t mapping) noexcept;

 private:
  struct File {
    std::weak_ptr<const Bytes> bytes;
    std::size_t size = 0;
    std::size_t expected = 0;  // how much of it the value that is written has
    bool is_named = false;     // it has a block of that value
  };
  struct Vector {
    const void* numbers;
    std::size_t size;
    std::shared_ptr<File> file;
    std::size_t begin;
    std::uint64_t mapping;
  };

  std::shared_ptr<File> known(const std::shared_ptr<const Bytes>& file) const;
  Vector* find_entry(const void* numbers, std::size_t size);
  void forget_unused();
  static bool is_same(const Vector& vector, const Bytes& file);

  std::vector<Vector> vectors_;
  std::size_t files_named_ = 0;
};

}  // namespace tenkai
