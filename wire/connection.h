// One stream of frames to one other process, over whatever transport.
//
// Give it callbacks with start(); it then reads until it is closed or dropped,
// and calls on_closed exactly once, never from inside send() or close(). All
// calls belong on the thread of the io_context. The connection keeps itself
// alive while it reads; callbacks are let go after on_closed.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/error_code.h"
#include "base/frame_reader.h"
#include "wire/assembler.h"
#include "wire/outbox.h"
#include "wire/strangers.h"

namespace tenkai {

namespace asio = boost::asio;

// Who is at the other end, as far as the kernel knows.
struct Peer {
  std::string address;          // for people: "127.0.0.1:4711", "pid 42", "the session"
  std::optional<pid_t> pid;     // of a local socket
  std::optional<uid_t> uid;     // of a local socket
  bool network = false;         // tcp, ws, or one of the two over TLS
  std::uint16_t port = 0;       // ours, where it came in over the network
  std::string binding;          // RFC 9266, of the TLS connection below; empty: none
  Strangers::TicketPtr ticket;  // of one who has come in and is not known yet
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // How a connection came to its end.
  struct End {
    bool orderly = false;  // the other end closed, or this one did
    bool broken = false;   // the network carried nothing any more, or other bytes than were sent
    std::string reason;    // for people
    Code code = Code::none;
  };
  struct Callbacks {
    std::function<void(Frame&&)> on_frame;
    std::function<void(const End&)> on_closed;
  };

  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start(Callbacks callbacks);
  // Other callbacks from now on; the first ones belonged to the greeting, which
  // may be calling this from inside one of them.
  void hand_over(Callbacks callbacks) { retired_ = std::exchange(callbacks_, std::move(callbacks)); }
  // Never blocks; what the kernel does not take now is kept and written later.
  void send(Frame frame);
  // The same, but a small frame is written together with others that are sent before the
  // event loop waits again: one system call for many answers.
  void send_soon(Frame frame);
  // Writes what is waiting, then closes. Frames that still arrive are dropped.
  void close();
  // Closes now.
  void drop(std::string reason, Code code = Code::none);

  // A welcomed peer may send larger frames, and pass files.
  void set_limit(std::uint64_t limit) {
    reader_.set_limit(limit);
    known_ = true;
    peer_.ticket = nullptr;
  }
  // Between machines: blocks that several payloads share go out once, as far as the other end keeps
  // them, which is so many bytes; and come in so.
  void share_blocks(std::uint64_t limit) { outbox_.share_blocks(limit); }
  void keep_blocks(std::uint64_t limit) { assembler_.keep_blocks(limit); }
  bool knows_peer() const { return known_; }
  const Peer& peer() const { return peer_; }
  bool is_open() const { return !ended_; }
  std::uint64_t waiting() const { return outbox_.waiting(); }  // bytes
  std::size_t unread() const { return outbox_.frames(); }      // frames the kernel has not taken
  std::chrono::steady_clock::time_point last_heard() const { return last_heard_; }

 protected:
  Connection(Peer peer, bool segmented) : peer_(std::move(peer)), outbox_(segmented) {}

  // The transport's part: read into reader().room() and call received(); write
  // what outbox() gathers and call flushed() when it is empty.
  virtual void read() = 0;
  virtual void write() = 0;
  // Writes a frame while nothing else is waiting, without putting it into the
  // outbox first. False: it could not, and nothing has been written.
  virtual bool write_at_once(const Frame&) { return false; }
  virtual void shut() = 0;  // close the descriptor

  // Returns false when reading should stop.
  bool received(std::size_t size);
  void ended(bool orderly, std::string reason, Code code = Code::none);
  void failed(const boost::system::error_code& why);
  void flushed();
  FrameReader& reader() { return reader_; }
  // For transports that do not read into room() before there is something to read.
  void rest() {
    if (reader_.at_rest()) reader_.shrink();
  }
  Outbox& outbox() { return outbox_; }
  void set_peer(Peer peer) { peer_ = std::move(peer); }
  virtual asio::any_io_executor executor() = 0;

 private:
  void finish(End end);
  void write_gathered();

  // Bytes of a payload that send_soon() lets wait.
  static constexpr std::size_t small_payload = 4096;
  // Frames that send_soon() lets gather.
  static constexpr std::size_t enough_at_once = 32;

  Peer peer_;
  FrameReader reader_;
  Assembler assembler_;
  Outbox outbox_;
  Callbacks callbacks_;
  Callbacks retired_;
  std::chrono::steady_clock::time_point last_heard_{};
  bool ended_ = false;
  bool closing_ = false;
  bool known_ = false;
  bool gathering_ = false;  // what is waiting has not been tried to write yet
};

using ConnectionPtr = std::shared_ptr<Connection>;

// Over a connected socket, unix or tcp. Frames are read where they will stay.
ConnectionPtr make_socket_connection(asio::generic::stream_protocol::socket socket, Peer peer);

// Adopts a descriptor that this process inherited (a socketpair).
ConnectionPtr adopt_socket(asio::any_io_executor executor, int descriptor, std::string name);

}  // namespace tenkai
