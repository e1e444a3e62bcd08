// What waits to be written to one connection, and in which order.
//
// Between machines a large payload goes out in segments, so that a cancel or a
// heartbeat never waits behind 80 MB: whole frames first, then the open streams
// in turn, one segment each. Between processes of one machine there is nothing
// to overtake, and a frame goes out whole. Payloads are never copied.
#pragma once

#include <sys/uio.h>

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/frame.h"
#include "base/shared_blocks.h"
#include "wire/given_blocks.h"

namespace tenkai {

// Descriptors that go out with the first byte of a frame.
struct PassedFiles {
  int count = 0;
  int descriptors[1 + max_shared_files] = {};
};

class Outbox {
 public:
  // `segmented`: between machines. Otherwise payloads that are memory files are
  // passed as such, and so are the files of blocks that they share with others.
  explicit Outbox(bool segmented) : segmented_(segmented) {}

  // Between machines: the other end keeps so many bytes of shared blocks, which then go out once.
  void share_blocks(std::uint64_t limit) { given_.set_limit(limit); }

  void push(Frame frame);

  bool empty() const { return ready_.empty() && streams_.empty(); }
  // Frames that have not gone out whole; a large payload counts as a few.
  std::size_t frames() const { return ready_.size(); }
  // Bytes not yet consumed.
  std::uint64_t waiting() const { return waiting_; }

  // Fills up to `most` pieces with what should be written next, at most about
  // `budget` bytes. They stay valid until consumed() says how much was written.
  // `files` must go out with the first byte.
  std::size_t gather(iovec* pieces, std::size_t most, std::size_t budget, PassedFiles& files);
  void consumed(std::size_t size);
  // The content of the files that gather() named goes out behind their head instead.
  // Throws std::bad_alloc where it cannot be had.
  void put_files_in_line();

 private:
  // Heads without attributes, which are most, need no block of memory of their own.
  using Head = boost::container::small_vector<char, header_size + 24>;
  struct Item {
    Head head;
    Payload payload;
    const char* begin = nullptr;  // of a segment; null: the payload itself
    std::size_t size = 0;         // 0 also where it goes as a file
    PassedFiles files;
    std::unique_ptr<Frame> whole;  // where blocks are shared: what the head was made of
    std::size_t total() const { return head.size() + size; }
  };
  struct Stream {
    std::uint32_t id;
    std::uint32_t rank;
    Payload payload;
    std::vector<std::string_view> pieces;  // of it and its shared blocks
    std::size_t next = 0;                  // of these
    std::size_t sent = 0;                  // of that one
  };
  void give_blocks(Frame& frame);
  void open_stream(Frame& frame);
  void cut_segment();

  bool segmented_;
  GivenBlocks given_;
  std::uint32_t last_stream_ = 0;
  std::deque<Item> ready_;
  std::deque<Stream> streams_;
  std::size_t written_ = 0;  // of ready_.front()
  std::uint64_t waiting_ = 0;
};

}  // namespace tenkai
