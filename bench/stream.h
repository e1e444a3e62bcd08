// One end of a stream of frames, as bare as it can be: blocking writes, and reads
// when the caller knows that something is there. A dispatcher never blocks on a
// write, so neither of the two can wait for the other for ever.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/frame_reader.h"
#include "base/version.h"
#include "bench/numbers.h"
#include "process/spawn.h"

namespace tenkai::bench {

class Stream {
 public:
  explicit Stream(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

  int descriptor() const { return descriptor_.get(); }

  void send(const Frame& frame) {
    std::string bytes = encode_head(frame);
    bytes.append(view_of(frame.payload));
    for (std::size_t sent = 0; sent < bytes.size();) {
      ssize_t size = ::send(descriptor(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (size < 0) fail(std::string("cannot write to the dispatcher: ") + std::strerror(errno));
      sent += static_cast<std::size_t>(size);
    }
  }

  // One read, which waits if it must; take(Frame&&) for each frame it completes.
  template <class Take>
  void receive(Take&& take) {
    FrameReader::Room room = reader_.room();
    ssize_t size = ::recv(descriptor(), room.data, room.size, 0);
    if (size <= 0) fail("the dispatcher closed a connection");
    if (!reader_.commit(static_cast<std::size_t>(size), take)) {
      fail("the dispatcher sent nonsense: " + reader_.error());
    }
  }

  // The next frame, where no other can come behind it.
  Frame receive_one() {
    std::optional<Frame> one;
    while (!one) receive([&one](Frame&& frame) { one = std::move(frame); });
    return std::move(*one);
  }

 private:
  Descriptor descriptor_;
  FrameReader reader_{max_payload};
};

inline Frame hello(Role role, const std::string& url) {
  Frame frame(Type::hello);
  frame.with(Key::role, static_cast<std::uint64_t>(role)).with(Key::version, program_version);
  if (!url.empty()) frame.with(Key::url, url);
  return frame;
}

}  // namespace tenkai::bench
