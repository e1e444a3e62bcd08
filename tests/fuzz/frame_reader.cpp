// Any bytes, in pieces of any size: the frames that come out are the same however
// the bytes were cut, hold no more than the limits, and survive being written and
// read again. What is refused is refused with a sentence.
//
// The first byte of the input chooses the limit, the second how the rest is cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/frame_reader.h"

namespace {

using tenkai::Frame;
using tenkai::FrameReader;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Outcome {
  std::vector<Frame> frames;
  bool accepted = true;
  std::string error;
};

Outcome read(FrameReader& reader, std::string_view bytes, std::size_t piece) {
  Outcome outcome;
  auto take = [&](Frame&& frame) { outcome.frames.push_back(std::move(frame)); };
  while (!bytes.empty() && outcome.accepted) {
    std::string_view now = bytes.substr(0, piece);
    bytes.remove_prefix(now.size());
    outcome.accepted = reader.feed(now, take);
  }
  outcome.error = reader.error();
  return outcome;
}

bool equal(const Frame& one, const Frame& other) {
  return one.type == other.type && one.session == other.session && one.task == other.task &&
         one.attempt == other.attempt && one.rank == other.rank && one.stream == other.stream &&
         one.announced == other.announced && one.attributes == other.attributes &&
         view_of(one.payload) == view_of(other.payload);
}

void check_limits(const Frame& frame, std::uint64_t limit) {
  std::size_t attributes = 0;
  for (const tenkai::Attribute& attribute : frame.attributes) attributes += 4 + attribute.value.size();
  require(attributes <= std::min<std::uint64_t>(limit, tenkai::max_attributes));
  require(size_of(frame.payload) <= limit && frame.announced <= limit);
  if (frame.type == tenkai::Type::segment) require(size_of(frame.payload) <= tenkai::segment_size);
}

void check_round_trip(const Frame& frame) {
  // It is at rest between frames, so one will do for all.
  static FrameReader reader(UINT64_MAX);
  std::string written = encode_head(frame);
  if (frame.announced == 0) written += view_of(frame.payload);
  Outcome again = read(reader, written, written.size());
  require(again.accepted && again.frames.size() == 1 && equal(frame, again.frames[0]));
  require(reader.at_rest());
}

// Seven of eight are strangers, whose readers are small. The others take blocks that
// a sanitizer gets from the system each time, and that is slow.
std::uint64_t limit_of(std::uint8_t choice) {
  if (choice % 8 != 7) return tenkai::max_greeting;
  return choice % 64 == 63 ? 4 * tenkai::segment_size : tenkai::segment_size / 4;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::uint64_t limit = limit_of(data[0]);
  std::size_t piece = std::size_t{1} + data[1];
  std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);

  FrameReader one(limit);
  Outcome whole = read(one, bytes, bytes.size());
  FrameReader other(limit);
  Outcome pieces = read(other, bytes, piece);

  require(whole.accepted == pieces.accepted && whole.error == pieces.error);
  require(whole.accepted == whole.error.empty());
  require(whole.frames.size() == pieces.frames.size());
  for (std::size_t i = 0; i < whole.frames.size(); ++i) {
    require(equal(whole.frames[i], pieces.frames[i]));
    check_limits(whole.frames[i], limit);
    check_round_trip(whole.frames[i]);
  }
  return 0;
}
