// One local stream of frames, seen from R: the session's to its dispatcher, or
// a daemon's to its dispatcher or agent.
//
// A stream never starts a thread and never raises SIGPIPE. The descriptor stays
// blocking; each call says for itself whether it may wait, so that a quiet wait
// is one system call. What does not fit into the socket is kept here and goes
// out before anything else later, so a frame is never cut in two.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/frame_reader.h"
#include "buffer.h"

namespace tenkai {

// While one lives, this process has a descriptor free: what comes with the bytes that
// are read is lost where there is none.
class FreeDescriptor {
 public:
  FreeDescriptor();
  ~FreeDescriptor();
  FreeDescriptor(const FreeDescriptor&) = delete;
  FreeDescriptor& operator=(const FreeDescriptor&) = delete;

  // Whether there is one to be freed next time.
  static bool take_spare();

 private:
  inline static int depth = 0;
  inline static int null = -1;   // what the spare one is a copy of
  inline static int spare = -1;  // kept open for others not to take it
};

class Stream {
 public:
  // Takes the descriptor over. `limit` bounds the payload of an incoming frame.
  explicit Stream(int fd, std::uint64_t limit = max_greeting);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool is_open() const { return fd_ >= 0 && !ended_; }
  int fd() const { return fd_; }
  // Why it is not open any more; empty after an ordinary end.
  const std::string& trouble() const { return trouble_; }
  void set_limit(std::uint64_t limit) { reader_.set_limit(limit); }
  // Bounds a waiting receive(), which else waits for ever.
  void set_patience(int milliseconds) { patience_ = milliseconds; }

  // Writes what it can without waiting; the rest is kept.
  void send(const Frame& frame);
  // The frame with what is in the buffer as its payload. The file in which that went out, if it did.
  std::shared_ptr<const Bytes> send(const Frame& frame, Buffer& payload);
  bool has_unsent() const { return !unsent_.empty(); }
  // Waits until the socket takes more or something has come, at most so long,
  // and writes what it takes. True when something can be received.
  bool flush(int milliseconds);
  // Waits until all has gone out. Only for those whose other end reads
  // whatever happens.
  void flush_all();

  enum class Wait { no, yes };
  // One read. Calls take(Frame&&) for each frame that is complete with it.
  // True when bytes came; false on a time-out, a signal or the end.
  template <class Take>
  bool receive(Wait wait, Take&& take) {
    if (!is_open()) return false;
    FreeDescriptor for_a_file;
    FrameReader::Room room = reader_.room();
    ssize_t size = read_into(room.data, room.size, wait);
    if (size <= 0) return false;
    try {
      if (!reader_.commit(static_cast<std::size_t>(size), take)) end(reader_.error());
    } catch (const std::bad_alloc&) {
      end("there is not enough memory for what was sent");
    }
    return true;
  }
  // Gives the buffers back while nothing is expected.
  void rest() { reader_.shrink(); }

  void close();

 private:
  // Bytes on their way; where descriptors go with the first of them, of this frame.
  struct Unsent {
    Bytes bytes;
    std::optional<Frame> whole;
  };

  ssize_t read_into(char* data, std::size_t size, Wait wait);
  void take_descriptors(msghdr& message);
  void send(std::string_view head, std::string_view payload);
  void send_with_files(Frame whole);
  std::size_t write_some(std::string_view first, std::string_view second, const std::vector<int>& files);
  void write_unsent();
  void forget_unsent();
  void end(std::string trouble);

  int fd_;
  int patience_ = -1;
  bool ended_ = false;
  std::string trouble_;
  FrameReader reader_;
  std::deque<Unsent> unsent_;
  std::size_t sent_of_first_ = 0;
  bool passes_no_file_ = false;  // what goes out next must be in line
};

}  // namespace tenkai
