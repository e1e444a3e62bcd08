#include "buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "crossing.h"

namespace tenkai {

namespace {

// From here on a piece goes into the file by itself.
constexpr std::size_t worth_a_call = 16 * 1024;
constexpr std::size_t smallest = 4096;

}  // namespace

Buffer::~Buffer() {
  if (file_ >= 0) close(file_);
  std::free(data_);
}

void Buffer::append(Buffer& other) {
  if (!other.is_in_file()) return append(other.data_, other.held_);
  std::size_t size = other.size();
  Bytes bytes = Bytes::of_file(other.seal());
  if (!bytes.claim(size)) Rf_error("a value of %zu bytes cannot be read back", size);
  append(bytes.data(), size);
}

void Buffer::clear() {
  blocks_.clear();
  shared_.clear();
  if (file_ >= 0) close(file_);
  file_ = -1;
  written_ = held_ = 0;
  without_file_ = false;
  if (capacity_ <= 2 * file_size) return;
  std::free(std::exchange(data_, nullptr));
  capacity_ = 0;
}

int Buffer::seal() {
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  bool sealed = flush() && fcntl(file_, F_ADD_SEALS, seals) == 0;
  if (!sealed && !give_file_up()) throw std::bad_alloc();
  return std::exchange(file_, -1);
}

// False where there is no file to be had, and it must stay in memory.
bool Buffer::append_to_file(const void* bytes, std::size_t size) {
  if (file_ < 0 && !open_file()) return false;
  if (size < worth_a_call && held_ + size <= file_size) {
    if (capacity_ - held_ < size) grow(held_ + size);
    std::memcpy(data_ + held_, bytes, size);
    held_ += size;
    return true;
  }
  if (flush() && write_out(static_cast<const char*>(bytes), size)) return true;
  if (!give_file_up()) Rf_error("cannot allocate %zu bytes to serialize a value", this->size());
  return false;
}

// Where files may not grow (ulimit -f), one that is too large is the end of R.
bool Buffer::open_file() {
  if (without_file_) return false;
  rlimit limit{};
  bool may_grow = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
  if (may_grow) file_ = memfd_create("tenkai", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  without_file_ = file_ < 0;
  return !without_file_;
}

bool Buffer::flush() {
  if (!write_out(data_, held_)) return false;
  held_ = 0;
  return true;
}

// All of it, or nothing that counts.
bool Buffer::write_out(const char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    ssize_t put = pwrite(file_, bytes + done, size - done, static_cast<off_t>(written_ + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    done += static_cast<std::size_t>(put);
  }
  written_ += size;
  return true;
}

// What is in the file moves into memory; false where that has no room either.
bool Buffer::give_file_up() {
  char* moved = static_cast<char*>(std::malloc(size()));
  if (moved == nullptr) return false;
  for (std::size_t at = 0; at < written_;) {
    ssize_t got = pread(file_, moved + at, written_ - at, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      std::free(moved);
      return false;
    }
    at += static_cast<std::size_t>(got);
  }
  if (held_ > 0) std::memcpy(moved + written_, data_, held_);
  std::free(std::exchange(data_, moved));
  capacity_ = held_ = size();
  written_ = 0;
  close(std::exchange(file_, -1));
  without_file_ = true;
  return true;
}

void Buffer::grow(std::size_t size) {
  std::size_t capacity = std::max({smallest, 2 * capacity_, size});
  char* moved = static_cast<char*>(std::realloc(data_, capacity));
  if (moved == nullptr) Rf_error("cannot allocate %zu bytes to serialize a value", capacity);
  data_ = moved;
  capacity_ = capacity;
}

}  // namespace tenkai
