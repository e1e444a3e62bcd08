// A block of bytes whose length is known before it is filled.
//
// Payloads of tasks and results live in these: allocated once, read into by the
// transport, passed on by pointer, never copied and never zeroed first (zeroing
// 80 MB costs as much as sending it). Between processes of one machine a large
// one is a memory file, whose descriptor is passed on instead of its content.
// C++17 and nothing else, because the R package includes it.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenkai {

class Bytes;

// A block (r/src/blocks.h) of a payload that lies in the memory file of another one.
struct SharedBlock {
  std::shared_ptr<const Bytes> file;
  std::uint64_t begin = 0;  // at a page of the file
  std::uint64_t size = 0;
};

class Bytes {
 public:
  Bytes() = default;
  // The content is indeterminate until written. Throws std::bad_alloc.
  explicit Bytes(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_ = static_cast<char*>(std::malloc(size));
    if (data_ == nullptr) throw std::bad_alloc();
    prefer_huge_pages(data_, size);
  }
  explicit Bytes(std::string_view text) : Bytes(text.size()) {
    if (!text.empty()) std::memcpy(data_, text.data(), text.size());
  }
  Bytes(Bytes&& other) noexcept { swap(other); }
  Bytes& operator=(Bytes&& other) noexcept {
    swap(other);
    return *this;
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() {
    if (whole_) return;
    if (file_ < 0) {
      std::free(data_);
    } else {
      close_file();
    }
  }

  // Takes ownership of a block from malloc().
  static Bytes adopt(char* data, std::size_t size) noexcept {
    Bytes bytes;
    bytes.data_ = data;
    bytes.size_ = size;
    return bytes;
  }
  // Some of the bytes of others, which live as long. Throws std::bad_alloc.
  static Bytes part_of(std::shared_ptr<const Bytes> whole, std::size_t begin, std::size_t size) {
    Bytes bytes;
    bytes.data_ = const_cast<char*>(whole->data()) + begin;
    bytes.size_ = size;
    bytes.whole_ = std::move(whole);
    return bytes;
  }
  // All bytes of others, and shared blocks that belong to them. Size and content are those
  // of `whole` alone; base/shared_blocks.h has the rest.
  static Bytes with_blocks(std::shared_ptr<const Bytes> whole, std::vector<SharedBlock> blocks) {
    Bytes bytes;
    bytes.size_ = whole->size();
    bytes.whole_ = std::move(whole);
    bytes.blocks_ = std::make_shared<const std::vector<SharedBlock>>(std::move(blocks));
    return bytes;
  }
  // Takes ownership of a descriptor. The bytes are not known before claim() has
  // looked at the file, and only mapped when somebody looks at them: who passes
  // the file on never does.
  static Bytes of_file(int descriptor) noexcept {
    Bytes bytes;
    bytes.file_ = descriptor;
    return bytes;
  }
  // Whether it is a memory file of this size, sealed against writing and
  // shrinking: one that shrinks under a reader would end it with SIGBUS. Where
  // descriptors are scarce, its content moves into memory.
  bool claim(std::size_t size) {
    constexpr int needed = F_SEAL_WRITE | F_SEAL_SHRINK;
    struct stat file {};
    int seals = ::fcntl(file_, F_GET_SEALS);
    if (seals < 0 || (seals & needed) != needed || ::fstat(file_, &file) != 0) return false;
    if (static_cast<std::size_t>(file.st_size) != size) return false;
    size_ = size;
    return file_ < end_of_files || move_into_memory();
  }

  // In place of claim(), of a file that this process has made and sealed.
  void set_own_size(std::size_t size) noexcept { size_ = size; }

  char* data() { return const_cast<char*>(std::as_const(*this).data()); }
  // Throws std::bad_alloc where a file cannot be mapped.
  const char* data() const {
    if (blocks_) return whole_->data();
    if (data_ == nullptr && file_ >= 0 && size_ > 0) {
      void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_, 0);
      if (mapped == MAP_FAILED || mapped == nullptr) throw std::bad_alloc();
      data_ = static_cast<char*>(mapped);
    }
    return data_;
  }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  std::string_view view() const { return {data(), size_}; }
  // The descriptor of the memory file, -1 if these bytes are in no file.
  int file() const noexcept { return blocks_ ? whole_->file() : file_; }
  const std::vector<SharedBlock>& blocks() const noexcept {
    static const std::vector<SharedBlock> none;
    return blocks_ ? *blocks_ : none;
  }
  // What with_blocks() was given; null where there are no shared blocks.
  std::shared_ptr<const Bytes> own() const noexcept { return blocks_ ? whole_ : nullptr; }
  // The same, or the bytes themselves.
  const Bytes& without_blocks() const noexcept { return blocks_ ? *whole_ : *this; }

  // Files behind payloads stay open only with descriptors below this one. The kernel
  // gives the lowest that is free, so its number says how many others are taken,
  // whoever has taken them: the program we are a guest in (R) needs some too.
  static inline int end_of_files = 64;

  // The page faults of 80 MB in small pages cost as much as copying them.
  static void prefer_huge_pages(char* data, std::size_t size) noexcept {
    constexpr std::size_t page = 2 * 1024 * 1024;
    if (size < 4 * page) return;
    std::size_t skip = (page - reinterpret_cast<std::uintptr_t>(data) % page) % page;
    // Advice: nothing is lost where it is not taken.
    (void)::madvise(data + skip, size - skip, MADV_HUGEPAGE);
  }

 private:
  void swap(Bytes& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(file_, other.file_);
    std::swap(whole_, other.whole_);
    std::swap(blocks_, other.blocks_);
  }

  void close_file() noexcept {
    if (data_ != nullptr) ::munmap(data_, size_);
    ::close(file_);
  }

  // True also where there is no memory for it: then it stays a file.
  bool move_into_memory() noexcept {
    char* copy = static_cast<char*>(std::malloc(size_));
    if (copy == nullptr) return true;
    prefer_huge_pages(copy, size_);
    for (std::size_t at = 0; at < size_;) {
      ssize_t size = ::pread(file_, copy + at, size_ - at, static_cast<off_t>(at));
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) {
        std::free(copy);
        return false;
      }
      at += static_cast<std::size_t>(size);
    }
    *this = adopt(copy, size_);
    return true;
  }

  mutable char* data_ = nullptr;
  std::size_t size_ = 0;
  int file_ = -1;
  std::shared_ptr<const Bytes> whole_;                      // that these are a part of
  std::shared_ptr<const std::vector<SharedBlock>> blocks_;  // few have any
};

// What a task or a result carries. Shared, because a task that may have to run
// again is kept by the dispatcher while its daemon works on it. Null is empty.
using Payload = std::shared_ptr<const Bytes>;

inline Payload make_payload(std::string_view text) {
  return text.empty() ? nullptr : std::make_shared<const Bytes>(text);
}
inline std::size_t size_of(const Payload& payload) noexcept { return payload ? payload->size() : 0; }
inline bool has_shared_blocks(const Payload& payload) noexcept {
  return payload && !payload->blocks().empty();
}
inline int file_of(const Payload& payload) noexcept { return payload ? payload->file() : -1; }
inline std::string_view view_of(const Payload& payload) {
  return payload ? payload->view() : std::string_view{};
}

}  // namespace tenkai
