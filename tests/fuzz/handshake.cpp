// Any bytes from a stranger: to both ends of the handshake, as frames. Nobody is
// let in who does not know the token, nothing is taken from the memory that the
// stranger has named a size for, and a frame that is read proves the same when it
// is written again.
//
// The first byte chooses the end: 'l', what a listener gets; else a dialler.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/frame_reader.h"
#include "tests/fuzz/largest_block.h"
#include "wire/handshake.h"

namespace {

using namespace tenkai;

void require(bool holds) {
  if (!holds) std::abort();
}

const Secret& token() {
  static const Secret secret = [] {
    Result<Secret> made = Secret::random();
    require(made.has_value());
    return std::move(*made);
  }();
  return secret;
}

std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> frames;
  FrameReader reader(max_greeting);
  if (!reader.feed(bytes, [&](Frame&& frame) { frames.push_back(std::move(frame)); })) {
    require(!reader.error().empty());
  }
  return frames;
}

void listen(const std::vector<Frame>& frames) {
  ListenerHandshake handshake("binding");
  bool challenged = false;
  for (const Frame& frame : frames) {
    if (challenged) {
      require(!handshake.on_proof(frame));
      continue;
    }
    if (!ListenerHandshake::claim_of(frame)) return;
    Result<Frame> challenge = handshake.on_hello(frame, token(), "1");
    require(challenge.has_value() && challenge->type == Type::challenge);
    challenged = true;
  }
}

void dial(const std::vector<Frame>& frames) {
  DiallerHandshake handshake({}, token().copy(), 3, "binding");
  require(handshake.hello(Role::agent, "1").has_value());
  for (const Frame& frame : frames) {
    Result<Frame> proof = handshake.on_challenge(frame, Frame(Type::hello));
    require(!proof.has_value() && !proof.error().message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  token();
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  tenkai::LargestBlock largest;
  std::vector<tenkai::Frame> frames = frames_of(bytes);
  data[0] == 'l' ? listen(frames) : dial(frames);
  // The room of a stranger's reader, and copies of what it has sent.
  require(largest.size() <= 3 * (tenkai::header_size + tenkai::max_greeting) + 8 * size);
  return 0;
}
