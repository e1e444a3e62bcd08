#include "buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

void Buffer::clear() {
  if (file_ >= 0) close(file_);
  file_ = -1;
  written_ = held_ = 0;
  without_file_ = false;
  if (capacity_ <= 2 * file_size) return;
  std::free(std::exchange(data_, nullptr));
  capacity_ = 0;
}

std::string Buffer::seal(int& file) {
  std::string trouble = flush();
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (trouble.empty() && fcntl(file_, F_ADD_SEALS, seals) != 0) trouble = std::strerror(errno);
  if (trouble.empty()) file = std::exchange(file_, -1);
  return trouble;
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
  // The texts are gone before R jumps over them.
  bool failed = !flush().empty() || !write_out(static_cast<const char*>(bytes), size).empty();
  if (failed) Rf_error("cannot write a value to a memory file: %s", std::strerror(errno));
  return true;
}

bool Buffer::open_file() {
  if (without_file_) return false;
  file_ = memfd_create("tenkai", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  without_file_ = file_ < 0;
  return !without_file_;
}

std::string Buffer::flush() {
  std::string trouble = write_out(data_, held_);
  if (trouble.empty()) held_ = 0;
  return trouble;
}

std::string Buffer::write_out(const char* bytes, std::size_t size) {
  while (size > 0) {
    ssize_t put = ::write(file_, bytes, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return std::strerror(errno);
    bytes += put;
    size -= static_cast<std::size_t>(put);
    written_ += static_cast<std::size_t>(put);
  }
  return {};
}

void Buffer::grow(std::size_t size) {
  std::size_t capacity = std::max({smallest, 2 * capacity_, size});
  char* moved = static_cast<char*>(std::realloc(data_, capacity));
  if (moved == nullptr) Rf_error("cannot allocate %zu bytes to serialize a value", capacity);
  data_ = moved;
  capacity_ = capacity;
}

}  // namespace tenkai
