// Puts the segments of large payloads together again.
//
// The counterpart of Outbox, also for blocks that several payloads share. A welcomed peer may have as many
// streams open as there are daemons behind it, and announce no more bytes than `budget` for all of them
// together; memory is reserved in the announced length, and the kernel commits it as the bytes come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/frame.h"
#include "base/result.h"
#include "wire/kept_blocks.h"

namespace tenkai {

class Assembler {
 public:
  static constexpr std::size_t max_streams = 4096;

  explicit Assembler(std::uint64_t budget = max_payload) : budget_(budget) {}

  // A frame as the reader gave it. Returns the frame that is complete now, or
  // nothing, or why the peer must be dropped.
  Result<std::optional<Frame>> take(Frame frame);
  // Whether take() has to see such a frame.
  static bool concerns(const Frame& frame) {
    return frame.stream != 0 || frame.type == Type::block || frame.find(Key::kept) != nullptr;
  }
  // Others that have become complete with it, and come behind it.
  std::vector<Frame> take_completed() { return std::exchange(completed_, {}); }
  // The other end may send so many bytes of shared blocks to be kept.
  void keep_blocks(std::uint64_t limit) { kept_.set_limit(limit); }

  std::size_t open() const { return streams_.size(); }

 private:
  struct Stream {
    Frame head;
    std::unique_ptr<Bytes> body;
    std::size_t filled = 0;
  };
  Result<std::optional<Frame>> finish(Frame whole);
  Result<std::optional<Frame>> open_stream(Frame frame);

  KeptBlocks kept_;
  std::vector<Frame> completed_;
  std::uint64_t budget_;
  std::uint64_t announced_ = 0;
  std::unordered_map<std::uint32_t, Stream> streams_;
};

}  // namespace tenkai
