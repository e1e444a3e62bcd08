#include "filed_vectors.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <set>
#include <utility>

#include "base/shared_blocks.h"

namespace tenkai {

namespace {

// Each costs a descriptor of a process that may use select().
constexpr std::size_t most_files = 32;
constexpr std::size_t most_vectors = 1024;

}  // namespace

FiledVectors& FiledVectors::of_session() {
  static auto* filed = new FiledVectors;
  return *filed;
}

bool FiledVectors::add(const std::shared_ptr<const Bytes>& file, const std::vector<Buffer::Block>& blocks) {
  forget_unused();
  std::set<const File*> files;
  for (const Vector& vector : vectors_) files.insert(vector.file.get());
  bool is_room = files.size() < most_files && vectors_.size() + blocks.size() <= most_vectors;
  if (blocks.empty() || !is_room || file->file() >= Bytes::end_of_files) return false;
  std::shared_ptr<File> known = this->known(file);
  for (const Buffer::Block& block : blocks) {
    // What is there now is another vector, or has other numbers.
    Vector* before = find_entry(block.address, block.size);
    Vector now{block.address, block.size, known, block.begin, block.mapping};
    before != nullptr ? void(*before = std::move(now)) : vectors_.push_back(std::move(now));
  }
  return true;
}

void FiledVectors::begin_value() {
  files_named_ = 0;
  for (Vector& vector : vectors_) {
    vector.file->expected = 0;
    vector.file->is_named = false;
  }
}

void FiledVectors::expect(const void* numbers, std::size_t size) {
  if (Vector* vector = find_entry(numbers, size)) vector->file->expected += size;
}

SharedBlock FiledVectors::find(const void* numbers, std::size_t size, std::uint64_t mapping) noexcept {
  Vector* vector = find_entry(numbers, size);
  if (vector == nullptr) return {};
  File& file = *vector->file;
  std::shared_ptr<const Bytes> bytes = file.bytes.lock();
  if (bytes == nullptr || 2 * file.expected < file.size) return {};
  if (!file.is_named && files_named_ == max_shared_files) return {};
  bool is_certain = mapping != 0 && mapping == vector->mapping;
  if (!is_certain && !is_same(*vector, *bytes)) return {};
  files_named_ += file.is_named ? 0 : 1;
  file.is_named = true;
  return {std::move(bytes), vector->begin, size};
}

bool FiledVectors::is_same(const Vector& vector, const Bytes& file) {
  try {
    return std::memcmp(file.data() + vector.begin, vector.numbers, vector.size) == 0;
  } catch (const std::bad_alloc&) {  // it cannot be mapped
    return false;
  }
}

// The entry of a file, which there may be from before.
std::shared_ptr<FiledVectors::File> FiledVectors::known(const std::shared_ptr<const Bytes>& file) const {
  for (const Vector& vector : vectors_) {
    if (vector.file->bytes.lock() == file) return vector.file;
  }
  auto known = std::make_shared<File>();
  known->bytes = file;
  known->size = file->size();
  return known;
}

FiledVectors::Vector* FiledVectors::find_entry(const void* numbers, std::size_t size) {
  auto is_it = [=](const Vector& each) { return each.numbers == numbers && each.size == size; };
  auto found = std::find_if(vectors_.begin(), vectors_.end(), is_it);
  return found == vectors_.end() ? nullptr : &*found;
}

void FiledVectors::forget_unused() {
  auto is_unused = [](const Vector& each) { return each.file->bytes.expired(); };
  vectors_.erase(std::remove_if(vectors_.begin(), vectors_.end(), is_unused), vectors_.end());
}

}  // namespace tenkai
