// Puts the segments of large payloads together again.
//
// The counterpart of Outbox. A welcomed peer may have as many streams open as
// there are daemons behind it, and announce no more bytes than `budget` for all
// of them together; memory is reserved in the announced length, and the kernel
// commits it as the bytes come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/frame.h"
#include "base/result.h"

namespace tenkai {

class Assembler {
 public:
  static constexpr std::size_t max_streams = 4096;

  explicit Assembler(std::uint64_t budget = max_payload) : budget_(budget) {}

  // A frame as the reader gave it. Returns the frame that is complete now, or
  // nothing, or why the peer must be dropped.
  Result<std::optional<Frame>> take(Frame frame);

  std::size_t open() const { return streams_.size(); }

 private:
  struct Stream {
    Frame head;
    std::unique_ptr<Bytes> body;
    std::size_t filled = 0;
  };
  std::uint64_t budget_;
  std::uint64_t announced_ = 0;
  std::unordered_map<std::uint32_t, Stream> streams_;
};

}  // namespace tenkai
