// The counterpart of GivenBlocks: the shared blocks that the other end has sent, in memory files
// that can be passed on, until it says that they are to be forgotten.
//
// A block may come in segments, among which other frames go. A frame that names it waits until it
// is whole.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/frame.h"
#include "base/result.h"

namespace tenkai {

class KeptBlocks {
 public:
  // Frames that wait for a block.
  static constexpr std::size_t max_waiting = 4096;

  // So many bytes together, which are none at the beginning: whoever sends one is dropped.
  void set_limit(std::uint64_t bytes) { limit_ = bytes; }

  // A block that comes, whose payload is not there yet, or one that is to be forgotten.
  Result<Done> on_announced(std::uint64_t number, std::uint64_t size);
  // It is whole. The frames that are complete with it, in the order in which they came.
  std::vector<Frame> on_block(std::uint64_t number, Payload payload);
  Result<Done> on_forget(std::uint64_t number);
  // One that names blocks (Key::kept); it is the frame it stands for, or nothing yet.
  Result<std::optional<Frame>> on_frame(Frame frame);

  std::uint64_t size() const { return size_; }  // in bytes

 private:
  struct Block {
    std::uint64_t size = 0;
    Payload payload;  // null until it is whole
  };
  using BlockPtr = std::shared_ptr<Block>;
  struct Waiting {
    Frame frame;
    std::vector<BlockPtr> blocks;
  };

  static bool is_complete(const std::vector<BlockPtr>& blocks);
  static Frame complete(Waiting waiting);

  std::uint64_t limit_ = 0;
  std::uint64_t size_ = 0;
  std::map<std::uint64_t, BlockPtr> blocks_;
  std::map<std::uint64_t, BlockPtr> coming_;  // that are not whole, also those forgotten meanwhile
  std::vector<Waiting> waiting_;
};

// What Key::kept says: numbers of 8 bytes, little endian.
std::string encode_numbers(const std::vector<std::uint64_t>& numbers);

}  // namespace tenkai
