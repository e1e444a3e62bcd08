// Elements of a map that this daemon evaluates one after the other, and what came of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/frame.h"
#include "base/parcel.h"
#include "buffer.h"

namespace tenkai {

class Piece {
 public:
  // `most`: how many this daemon may still do; above 0. Throws std::bad_alloc, and
  // std::runtime_error where the frame holds no parcel.
  Piece(const Frame& task, double most);
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  // The next element, and its number among the tasks of the session.
  Payload element() const;
  std::uint64_t number() const { return first_ + done_; }
  // What came of it. May jump where there is no memory, and counts it then nevertheless.
  void keep(Buffer& value, bool failed);

  // Whether no other element is to be evaluated: all are, or their time is over, or what
  // they came to is much already. The rest is given back.
  bool is_over() const;
  // The last element was interrupted: whoever did that decides how it goes on.
  void on_interrupted() { interrupted_ = true; }

  std::uint64_t done() const { return done_; }
  bool failed() const { return failed_; }
  bool interrupted() const { return interrupted_; }
  // The results as a parcel. May jump.
  Buffer& results();

 private:
  using Clock = std::chrono::steady_clock;

  Payload parcel_;
  std::uint64_t first_;
  std::uint64_t count_ = 0;
  double most_;
  std::optional<Clock::time_point> end_;
  std::uint64_t done_ = 0;
  bool failed_ = false;
  bool interrupted_ = false;
  Buffer results_;
  ParcelTable table_;
};

}  // namespace tenkai
