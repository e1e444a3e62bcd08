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
#include <string>

#include "base/frame.h"

namespace tenkai {

class Outbox {
 public:
  // `segmented`: between machines. Otherwise payloads that are memory files are
  // passed as such.
  explicit Outbox(bool segmented) : segmented_(segmented) {}

  void push(Frame frame);

  bool empty() const { return ready_.empty() && streams_.empty(); }
  // Frames that have not gone out whole; a large payload counts as a few.
  std::size_t frames() const { return ready_.size(); }
  // Bytes not yet consumed.
  std::uint64_t waiting() const { return waiting_; }

  // Fills up to `most` pieces with what should be written next, at most about
  // `budget` bytes. They stay valid until consumed() says how much was written.
  // `file` is a descriptor that must go out with the first byte, or -1.
  std::size_t gather(iovec* pieces, std::size_t most, std::size_t budget, int& file);
  void consumed(std::size_t size);
  // The content of the file that gather() named goes out behind its head instead.
  // Throws std::bad_alloc where it cannot be mapped.
  void put_file_in_line();

 private:
  // Heads without attributes, which are most, need no block of memory of their own.
  using Head = boost::container::small_vector<char, header_size + 24>;
  struct Item {
    Head head;
    Payload payload;
    std::size_t begin = 0;  // of the part of the payload that belongs to this item
    std::size_t size = 0;   // 0 also where it goes as a file
    int file = -1;
    std::size_t total() const { return head.size() + size; }
  };
  struct Stream {
    std::uint32_t id;
    std::uint32_t rank;
    Payload payload;
    std::size_t sent = 0;
  };
  void cut_segment();

  bool segmented_;
  std::uint32_t last_stream_ = 0;
  std::deque<Item> ready_;
  std::deque<Stream> streams_;
  std::size_t written_ = 0;  // of ready_.front()
  std::uint64_t waiting_ = 0;
};

}  // namespace tenkai
