#include "wire/tls_stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace tenkai {
namespace {

boost::system::error_code system_error() {
  return boost::system::error_code(errno, boost::system::system_category());
}

// Large blocks are passed on from the connection that has nothing under way to the
// next that has: taking them from the system and giving them back each time costs
// as much as encrypting what they hold.
thread_local Bytes spare_in;
thread_local Bytes spare_out;

Bytes take_spare(Bytes& spare, std::size_t size) {
  return spare.size() >= size ? std::exchange(spare, Bytes()) : Bytes(size);
}
void give_spare(Bytes& spare, Bytes block) {
  if (block.size() > spare.size()) spare = std::move(block);
}

TlsEngine* engine_of(BIO* bio) { return static_cast<TlsEngine*>(BIO_get_data(bio)); }

}  // namespace

// --- OpenSSL's view of us: a BIO over the two blocks of memory ---

BIO_METHOD* TlsEngine::method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tenkai");
    BIO_meth_set_read(fresh, on_read);
    BIO_meth_set_write(fresh, on_write);
    BIO_meth_set_ctrl(fresh, on_control);
    BIO_meth_set_create(fresh, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return fresh;
  }();
  return made;
}

int TlsEngine::on_read(BIO* bio, char* data, int size) {
  TlsEngine& engine = *engine_of(bio);
  BIO_clear_retry_flags(bio);
  std::size_t there = engine.held_ - engine.taken_;
  if (there == 0) {
    if (engine.eof_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  std::size_t taken = std::min(there, static_cast<std::size_t>(size));
  std::memcpy(data, engine.in_.data() + engine.taken_, taken);
  engine.taken_ += taken;
  return static_cast<int>(taken);
}

int TlsEngine::on_write(BIO* bio, const char* data, int size) {
  TlsEngine& engine = *engine_of(bio);
  BIO_clear_retry_flags(bio);
  if (!engine.make_room(static_cast<std::size_t>(size))) return -1;
  std::memcpy(engine.out_.data() + engine.waiting_, data, static_cast<std::size_t>(size));
  engine.waiting_ += static_cast<std::size_t>(size);
  return size;
}

bool TlsEngine::make_room(std::size_t size) {
  std::size_t needed = waiting_ + size;
  if (needed <= out_.size()) return true;
  try {
    Bytes larger = take_spare(spare_out, std::max(needed, waiting_ == 0 ? size : 2 * out_.size()));
    if (waiting_ > 0) std::memcpy(larger.data(), out_.data(), waiting_);
    give_spare(spare_out, std::exchange(out_, std::move(larger)));
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

long TlsEngine::on_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

TlsEngine::TlsEngine(SSL_CTX* context) : ssl_(SSL_new(context)) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* bio = BIO_new(method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_, bio, bio);
  // A write is done at once or not at all.
  SSL_clear_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE);
}

TlsEngine::~TlsEngine() { SSL_free(ssl_); }

TlsEngine::Outcome TlsEngine::judge(int result) {
  int what = SSL_get_error(ssl_, result);
  if (what == SSL_ERROR_WANT_READ) return Outcome::wants_read;
  if (what == SSL_ERROR_ZERO_RETURN) return Outcome::ended;
  unsigned long reason = ERR_get_error();
  bool cut_off = what == SSL_ERROR_SYSCALL || ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (eof_ && cut_off) {
    failure_ = asio::ssl::error::stream_truncated;
  } else {
    failure_ = boost::system::error_code(static_cast<int>(reason), asio::error::get_ssl_category());
    if (reason == 0) failure_ = asio::error::connection_aborted;
  }
  ERR_clear_error();
  return Outcome::failed;
}

void TlsEngine::listen() {
  SSL_set_accept_state(ssl_);
  check_.emplace();
}

TlsEngine::Outcome TlsEngine::handshake() {
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_);
  if (result != 1) return judge(result);
  check_.reset();
  return Outcome::done;
}

TlsEngine::Outcome TlsEngine::read(char* data, std::size_t& size) {
  ERR_clear_error();
  std::size_t got = 0;
  int result = SSL_read_ex(ssl_, data, size, &got);
  size = got;
  return result == 1 ? Outcome::done : judge(result);
}

TlsEngine::Outcome TlsEngine::write(const char* data, std::size_t size) {
  ERR_clear_error();
  std::size_t put = 0;
  int result = SSL_write_ex(ssl_, data, size, &put);
  return result == 1 ? Outcome::done : judge(result);
}

bool TlsEngine::receive(int socket, boost::system::error_code& failed) {
  if (in_.size() < room_) {
    Bytes larger = take_spare(spare_in, room_);
    if (held_ > taken_) std::memcpy(larger.data(), in_.data() + taken_, held_ - taken_);
    give_spare(spare_in, std::exchange(in_, std::move(larger)));
  } else if (held_ > taken_) {
    std::memmove(in_.data(), in_.data() + taken_, held_ - taken_);
  }
  held_ -= taken_;
  taken_ = 0;
  while (true) {
    ssize_t size = ::recv(socket, in_.data() + held_, in_.size() - held_, MSG_DONTWAIT);
    if (size > 0) {
      std::string_view received(in_.data() + held_, static_cast<std::size_t>(size));
      held_ += received.size();
      if (!is_allowed(received)) {
        failed = boost::system::error_code(
            static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_EXCESSIVE_MESSAGE_SIZE)),
            asio::error::get_ssl_category());
      }
      return true;
    }
    if (size == 0) return eof_ = true;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Nothing is on its way: the block goes back until something is.
      if (held_ == 0) give_spare(spare_in, std::exchange(in_, Bytes()));
      return false;
    }
    failed = system_error();
    return true;
  }
}

bool TlsEngine::is_allowed(std::string_view received) { return !check_ || check_->accept(received); }

bool TlsEngine::send(int socket, boost::system::error_code& failed) {
  while (has_unsent()) {
    ssize_t size = ::send(socket, out_.data() + sent_, waiting_ - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
      sent_ += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return false;
    } else if (errno != EINTR) {
      failed = system_error();
      return true;
    }
  }
  sent_ = waiting_ = 0;
  give_spare(spare_out, std::exchange(out_, Bytes()));
  return true;
}

// --- with an event loop ---

std::size_t TlsStream::encrypt(const std::vector<asio::const_buffer>& pieces,
                               boost::system::error_code& failed) {
  constexpr std::size_t batch = 256 * 1024;
  constexpr std::size_t small = 4096;
  std::size_t total = 0;
  std::vector<char> joined;
  auto put = [&](const char* data, std::size_t size) {
    if (size > 0 && engine_->write(data, size) != TlsEngine::Outcome::done) failed = engine_->failure();
  };
  for (const asio::const_buffer& piece : pieces) {
    if (total >= batch || failed) break;
    std::size_t size = std::min(piece.size(), batch - total);
    auto data = static_cast<const char*>(piece.data());
    total += size;
    if (size <= small) {
      joined.insert(joined.end(), data, data + size);
      continue;
    }
    put(joined.data(), joined.size());
    joined.clear();
    put(data, size);
  }
  put(joined.data(), joined.size());
  return total;
}

void TlsStream::read_some(asio::mutable_buffer buffer, OnMoved on_done) {
  asio::post(socket_.get_executor(), [this, buffer, on_done = std::move(on_done)]() mutable {
    read_now(buffer, std::move(on_done));
  });
}

void TlsStream::read_now(asio::mutable_buffer buffer, OnMoved on_done) {
  std::size_t size = buffer.size();
  boost::system::error_code failed;
  if (size == 0 || read_into(static_cast<char*>(buffer.data()), size, failed))
    return on_done(failed, failed ? 0 : size);
  socket_.async_wait(asio::socket_base::wait_read,
                     [this, buffer, on_done = std::move(on_done)](boost::system::error_code stopped) mutable {
                       stopped ? on_done(stopped, 0) : read_now(buffer, std::move(on_done));
                     });
}

void TlsStream::write_some(const std::vector<asio::const_buffer>& pieces, OnMoved on_done) {
  boost::system::error_code refused;
  std::size_t size = encrypt(pieces, refused);
  asio::post(socket_.get_executor(), [this, size, refused, on_done = std::move(on_done)]() mutable {
    refused ? on_done(refused, 0) : send_now(size, std::move(on_done));
  });
}

void TlsStream::send_now(std::size_t size, OnMoved on_done) {
  boost::system::error_code failed;
  if (engine_->send(socket_.native_handle(), failed)) return on_done(failed, failed ? 0 : size);
  socket_.async_wait(asio::socket_base::wait_write,
                     [this, size, on_done = std::move(on_done)](boost::system::error_code stopped) mutable {
                       stopped ? on_done(stopped, 0) : send_now(size, std::move(on_done));
                     });
}

bool TlsStream::read_into(char* data, std::size_t& size, boost::system::error_code& failed) {
  std::size_t room = size;
  while (true) {
    size = room;
    switch (engine_->read(data, size)) {
      case TlsEngine::Outcome::done: return true;
      case TlsEngine::Outcome::ended: failed = asio::error::eof; return true;
      case TlsEngine::Outcome::failed: failed = engine_->failure(); return true;
      case TlsEngine::Outcome::wants_read: break;
    }
    // A key update may have to be answered; what does not go out now goes with the
    // next write.
    boost::system::error_code ignored;
    if (engine_->has_unsent()) engine_->send(socket_.native_handle(), ignored);
    if (!engine_->receive(socket_.native_handle(), failed)) return false;
    if (failed) return true;
  }
}

void TlsStream::async_handshake(asio::ssl::stream_base::handshake_type role,
                                std::function<void(boost::system::error_code)> on_done) {
  if (role == asio::ssl::stream_base::server) {
    engine_->listen();
  } else {
    SSL_set_connect_state(native_handle());
  }
  auto shared = std::make_shared<std::function<void(boost::system::error_code)>>(std::move(on_done));
  asio::post(socket_.get_executor(), [this, shared] { handshake_on(shared); });
}

// `on_done` keeps the stream alive.
void TlsStream::handshake_on(std::shared_ptr<std::function<void(boost::system::error_code)>> on_done) {
  auto finish = [&](const boost::system::error_code& failed) {
    auto call = std::move(*on_done);
    call(failed);
  };
  auto wait = [&](asio::socket_base::wait_type what) {
    socket_.async_wait(what, [this, on_done](boost::system::error_code failed) {
      if (!failed) return handshake_on(on_done);
      auto call = std::move(*on_done);
      call(failed);
    });
  };
  while (true) {
    TlsEngine::Outcome outcome = engine_->handshake();
    boost::system::error_code failed;
    bool sent = engine_->send(socket_.native_handle(), failed);
    // An alert that says why is sent as far as it can be.
    if (outcome == TlsEngine::Outcome::failed) return finish(engine_->failure());
    if (outcome == TlsEngine::Outcome::ended) return finish(asio::error::eof);
    if (failed) return finish(failed);
    if (!sent) return wait(asio::socket_base::wait_write);
    if (outcome == TlsEngine::Outcome::done) return finish({});
    if (!engine_->receive(socket_.native_handle(), failed)) return wait(asio::socket_base::wait_read);
    if (failed) return finish(failed);
  }
}

}  // namespace tenkai
