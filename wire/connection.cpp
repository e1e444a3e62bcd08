#include "wire/connection.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

namespace tenkai {

void Connection::start(Callbacks callbacks) {
  callbacks_ = std::move(callbacks);
  last_heard_ = std::chrono::steady_clock::now();
  read();
}

void Connection::send(Frame frame) {
  if (ended_ || closing_) return;
  bool idle = outbox_.empty();
  if (idle && write_at_once(frame)) return;
  outbox_.push(std::move(frame));
  // When something is waiting already, a write is under way.
  if (idle) write();
}

void Connection::send_soon(Frame frame) {
  if (size_of(frame.payload) > small_payload) return send(std::move(frame));
  if (ended_ || closing_) return;
  bool idle = outbox_.empty();
  outbox_.push(std::move(frame));
  if (idle) {
    gathering_ = true;
    asio::post(executor(), [self = shared_from_this()] { self->write_gathered(); });
  } else if (gathering_ && outbox_.frames() >= enough_at_once) {
    write_gathered();
  }
}

void Connection::write_gathered() {
  if (!std::exchange(gathering_, false) || ended_ || outbox_.empty()) return;
  write();
}

void Connection::close() {
  if (ended_ || closing_) return;
  closing_ = true;
  if (outbox_.empty()) ended(true, "closed");
}

void Connection::drop(std::string reason, Code code) { ended(false, std::move(reason), code); }

bool Connection::received(std::size_t size) {
  last_heard_ = std::chrono::steady_clock::now();
  auto self = shared_from_this();
  std::string broken;
  bool good = reader_.commit(size, [&](Frame&& frame) {
    if (ended_ || closing_ || !broken.empty()) return;
    if (!Assembler::concerns(frame)) {
      if (callbacks_.on_frame) callbacks_.on_frame(std::move(frame));
      return;
    }
    // Each stream is a block of memory, and thousands may be open.
    if (!known_) {
      broken = "a payload in segments came from one who is not known yet";
      return;
    }
    Result<std::optional<Frame>> whole = assembler_.take(std::move(frame));
    if (!whole) {
      broken = whole.error().message;
      return;
    }
    if (*whole && callbacks_.on_frame) callbacks_.on_frame(std::move(**whole));
    for (Frame& each : assembler_.take_completed()) {
      if (!ended_ && !closing_ && callbacks_.on_frame) callbacks_.on_frame(std::move(each));
    }
  });
  if (!good) broken = reader_.error();
  if (!broken.empty()) ended(false, broken);
  return !ended_;
}

void Connection::flushed() {
  if (closing_) ended(true, "closed");
}

void Connection::failed(const boost::system::error_code& why) {
  bool silent = why == asio::error::timed_out || why == asio::error::host_unreachable ||
                why == asio::error::network_unreachable || why == asio::error::network_down;
  // TLS finds every bit that is not as it was sent.
  bool changed = why.category() == asio::error::get_ssl_category();
  finish({false, silent || changed, why.message(), Code::none});
}

void Connection::ended(bool orderly, std::string reason, Code code) {
  finish({orderly, false, std::move(reason), code});
}

void Connection::finish(End end) {
  if (ended_) return;
  ended_ = true;
  peer_.ticket = nullptr;
  shut();
  // Posted, so that nobody's data vanishes under their feet.
  asio::post(executor(), [self = shared_from_this(), end = std::move(end)] {
    Callbacks callbacks = std::move(self->callbacks_);
    self->callbacks_ = {};
    self->retired_ = {};
    if (callbacks.on_closed) callbacks.on_closed(end);
  });
}

}  // namespace tenkai
