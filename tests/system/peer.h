// The other end of a conversation with a program of ours, for tests: blocking,
// one frame at a time, every wait with a limit.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/frame_reader.h"
#include "base/url.h"
#include "process/spawn.h"
#include "wire/handshake.h"

namespace tenkai::test {

inline constexpr std::chrono::milliseconds patience{10000};

class TestPeer {
 public:
  explicit TestPeer(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  // Connects to abstract:// or tcp:// (127.0.0.1); throws when nobody is there.
  static TestPeer dial(const std::string& url);

  void send(Frame frame);
  void send_bytes(std::string_view bytes);
  // With its payload as a memory file.
  void send_as_file(const Frame& frame);
  // The next frame, or nothing at the end of the stream; throws when none comes in time.
  std::optional<Frame> receive(std::chrono::milliseconds limit = patience);
  // The next frame of this type; others are kept for later calls.
  std::optional<Frame> receive(Type type, std::chrono::milliseconds limit = patience);
  // Whether nothing at all comes for so long.
  bool is_silent(std::chrono::milliseconds time);
  void close() { descriptor_ = Descriptor(); }
  int descriptor() const { return descriptor_.get(); }

 private:
  void wait_for_more(std::chrono::steady_clock::time_point until);
  bool read_some(std::chrono::milliseconds limit);

  Descriptor descriptor_;
  FrameReader reader_{max_payload};
  std::deque<Frame> frames_;
  bool ended_ = false;
};

// A real `tenkai dispatcher` whose session is the test.
class TestDispatcher {
 public:
  // It may have so many descriptors; 0: as many as the test.
  explicit TestDispatcher(int descriptors = 0);
  ~TestDispatcher();
  TestDispatcher(const TestDispatcher&) = delete;
  TestDispatcher& operator=(const TestDispatcher&) = delete;

  // HELLO and SETUP. Returns the URLs of the slots; throws the reason of a refusal.
  std::vector<std::string> set_up(const std::string& lines);
  void greet();
  void submit(std::uint64_t task, std::string_view payload, std::optional<std::uint64_t> timeout_ms = {});
  Frame resolved();
  // Rows of `status`, split at tabs.
  std::vector<std::vector<std::string>> status();
  std::string request(const std::string& name, std::uint64_t slot = 0, bool forced = false);
  // What lets one daemon in at this slot over the network; empty on one machine.
  std::string credential(std::uint64_t slot) { return request("credential", slot); }
  // Waits until the process has ended, and says whether it did.
  bool has_ended(std::chrono::milliseconds limit = patience);
  void kill(int signal);

  TestPeer session;
  pid_t pid = -1;

 private:
  std::uint64_t last_request_ = 1u << 30;
};

// A daemon without R: joins a slot and answers by hand.
class TestDaemon {
 public:
  // With a credential it does the handshake, over plain tcp.
  explicit TestDaemon(const std::string& url, const std::string& credential = {});
  Frame task();
  void finish(const Frame& task, std::string_view payload);

  TestPeer stream;
};

Frame hello(Role role, const std::string& url);
// Goes through the handshake of a dialler, up to PROOF, as what `introduction` says;
// throws the reason where the other end does not play its part.
Resumption prove(TestPeer& peer, Role role, const std::string& credential, Frame introduction,
                 const std::string& binding = {}, std::uint32_t rank = 0);

// A program that the shell runs, to stand for Rscript; its path.
std::string write_program(const std::string& path, const std::string& commands);

}  // namespace tenkai::test
