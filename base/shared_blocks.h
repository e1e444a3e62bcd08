// Shared blocks: numbers that several payloads have in common.
//
// A vector that several tasks are sent lies in the memory file of the first of them; the
// payloads of the others say where. Between processes of one machine the descriptors of such
// files go along with the head of a frame, and who has a file already takes it for that one.
// Between machines a payload is as long as if each shared block were behind it: at the next
// multiple of 4096 bytes behind what is its own, and behind each other.
//
// C++17 and nothing else, because the R package includes it.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace tenkai {

// Where blocks begin in a payload, and in the file of another one.
inline constexpr std::uint64_t block_page = 4096;
inline constexpr std::size_t max_shared_blocks = 256;
// Files that may come along with one frame beside that of its payload.
inline constexpr std::size_t max_shared_files = 3;

constexpr std::uint64_t next_page(std::uint64_t at) {
  return (at + block_page - 1) / block_page * block_page;
}

// The files of the shared blocks of a payload, each once, in the order of their blocks.
inline std::vector<std::shared_ptr<const Bytes>> shared_files(const std::vector<SharedBlock>& blocks) {
  std::vector<std::shared_ptr<const Bytes>> files;
  for (const SharedBlock& block : blocks) {
    if (std::find(files.begin(), files.end(), block.file) == files.end()) files.push_back(block.file);
  }
  return files;
}
inline std::vector<std::shared_ptr<const Bytes>> shared_files(const Payload& payload) {
  return has_shared_blocks(payload) ? shared_files(payload->blocks())
                                    : std::vector<std::shared_ptr<const Bytes>>();
}

// What goes along with the head of its frame, that of the payload first. None where it has to go
// as between machines: one of the files has moved into memory.
inline std::vector<int> descriptors_of(const Payload& payload) {
  std::vector<int> descriptors;
  if (file_of(payload) >= 0) descriptors.push_back(file_of(payload));
  for (const auto& file : shared_files(payload)) {
    if (file->file() < 0) return {};
    descriptors.push_back(file->file());
  }
  return descriptors;
}

// What a payload keeps of memory if nothing else does: itself, and these files.
inline std::uint64_t size_with_files(const Payload& payload) {
  std::uint64_t size = size_of(payload);
  for (const auto& file : shared_files(payload)) size += file->size();
  return size;
}

// How long it is between machines.
inline std::uint64_t size_with_blocks(const Payload& payload) {
  std::uint64_t size = size_of(payload);
  if (!payload) return size;
  for (const SharedBlock& block : payload->blocks()) size = next_page(size) + block.size;
  return size;
}

// The pieces of which it then consists; they live as long as the payload. Throws
// std::bad_alloc where a file cannot be mapped.
inline std::vector<std::string_view> pieces_with_blocks(const Payload& payload) {
  static constexpr char zeros[block_page] = {};
  std::vector<std::string_view> pieces;
  if (!payload) return pieces;
  std::uint64_t size = payload->size();
  if (size > 0) pieces.push_back(payload->view());
  for (const SharedBlock& block : payload->blocks()) {
    auto gap = static_cast<std::size_t>(next_page(size) - size);
    if (gap > 0) pieces.emplace_back(zeros, gap);
    pieces.push_back(block.file->view().substr(static_cast<std::size_t>(block.begin),
                                               static_cast<std::size_t>(block.size)));
    size += gap + block.size;
  }
  return pieces;
}

// The same in one piece of memory. Throws std::bad_alloc.
inline Payload with_blocks_behind(const Payload& payload) {
  if (!has_shared_blocks(payload)) return payload;
  Bytes whole(static_cast<std::size_t>(size_with_blocks(payload)));
  char* at = whole.data();
  for (std::string_view piece : pieces_with_blocks(payload)) {
    std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  return std::make_shared<const Bytes>(std::move(whole));
}

// The attribute Key::blocks: numbers of 8 bytes, little endian. How many files; the size of
// each; then of each block its file, from 0 on, where it begins there and how long it is.
struct BlockList {
  struct Place {
    std::uint64_t file, begin, size;
  };
  std::vector<std::uint64_t> files;
  std::vector<Place> blocks;

  static BlockList of(const std::vector<SharedBlock>& blocks) {
    BlockList list;
    auto files = shared_files(blocks);
    for (const auto& file : files) list.files.push_back(file->size());
    for (const SharedBlock& block : blocks) {
      auto at = std::find(files.begin(), files.end(), block.file) - files.begin();
      list.blocks.push_back({static_cast<std::uint64_t>(at), block.begin, block.size});
    }
    return list;
  }

  // Nothing where it is none, or has a block that does not lie in its file.
  static std::optional<BlockList> in(std::string_view bytes) {
    if (bytes.size() < 8 || bytes.size() % 8 != 0) return std::nullopt;
    std::uint64_t numbers = bytes.size() / 8, count = number_at(bytes, 0);
    if (count == 0 || count > max_shared_files || numbers <= 1 + count) return std::nullopt;
    if ((numbers - 1 - count) % 3 != 0 || (numbers - 1 - count) / 3 > max_shared_blocks) return std::nullopt;
    BlockList list;
    for (std::uint64_t i = 1; i <= count; ++i) list.files.push_back(number_at(bytes, i));
    for (std::uint64_t i = 1 + count; i < numbers; i += 3) {
      Place place{number_at(bytes, i), number_at(bytes, i + 1), number_at(bytes, i + 2)};
      if (place.file >= count || place.begin % block_page != 0 || place.size == 0) return std::nullopt;
      std::uint64_t size = list.files[static_cast<std::size_t>(place.file)];
      if (place.begin > size || place.size > size - place.begin) return std::nullopt;
      list.blocks.push_back(place);
    }
    return list;
  }

  std::string bytes() const {
    std::string bytes;
    auto put = [&bytes](std::uint64_t number) {
      for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
    };
    put(files.size());
    for (std::uint64_t size : files) put(size);
    for (const Place& place : blocks) {
      put(place.file);
      put(place.begin);
      put(place.size);
    }
    return bytes;
  }

 private:
  static std::uint64_t number_at(std::string_view bytes, std::uint64_t place) {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;)
      number = number << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(8 * place) + i]);
    return number;
  }
};

// The memory files that have come over one connection and are still in use: one that comes
// again is known by what the kernel says of it, so that it is counted, and held, once.
class KnownFiles {
 public:
  // Another descriptor is closed; also where the content has moved into memory.
  struct Identity {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = 0;
    timespec changed{};

    explicit Identity(int descriptor) {
      struct stat file {};
      if (::fstat(descriptor, &file) != 0) return;
      device = file.st_dev;
      number = file.st_ino;
      size = file.st_size;
      changed = file.st_ctim;
    }
    bool operator==(const Identity& other) const {
      return device == other.device && number == other.number && size == other.size &&
             changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
    }
  };

  std::shared_ptr<const Bytes> find(const Identity& identity) const {
    auto found = files_.find(identity.number);
    bool is_it = found != files_.end() && found->second.identity == identity;
    return is_it ? found->second.file.lock() : nullptr;
  }
  void add(const Identity& identity, const std::shared_ptr<const Bytes>& file) {
    if (files_.size() >= enough_) forget_unused();
    files_.insert_or_assign(identity.number, Known{identity, file});
  }

 private:
  struct Known {
    Identity identity;
    std::weak_ptr<const Bytes> file;
  };

  void forget_unused() {
    for (auto at = files_.begin(); at != files_.end();)
      at = at->second.file.expired() ? files_.erase(at) : std::next(at);
    enough_ = std::max<std::size_t>(16, 2 * files_.size());
  }

  std::unordered_map<ino_t, Known> files_;
  std::size_t enough_ = 16;
};

}  // namespace tenkai
