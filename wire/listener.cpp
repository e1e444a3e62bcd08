#include "wire/listener.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>

#include "base/descriptor.h"
#include "base/text.h"
#include "wire/failure.h"
#include "wire/local_socket.h"
#include "wire/network_accept.h"

namespace tenkai {
namespace {

Error cannot_listen(const Url& url, const boost::system::error_code& failed, const std::string& remedy = "") {
  Error why = failure_of(failed);
  why.message += ": cannot listen at " + to_string(url) + remedy;
  return why;
}

// Kept open to be given up when there is no other, once for all listeners.
Descriptor& spare_descriptor() {
  static Descriptor spare(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return spare;
}

// Accepting, for either protocol. Out of descriptors, the stranger goes who has been
// at the door for the longest time, so that those who belong here still come in.
// Where there is none, it lets go of a descriptor it keeps in reserve, takes the
// caller in only to hang up, and rests for a moment, so that it neither spins nor
// leaves callers waiting.
template <class Protocol>
class Acceptor : public Listener {
 public:
  Acceptor(asio::any_io_executor executor, Url url, Strangers* strangers, OnAccept on_accept)
      : acceptor_(executor),
        rest_(executor),
        url_(std::move(url)),
        strangers_(strangers),
        on_accept_(std::move(on_accept)) {
    spare_descriptor();
  }

  const Url& url() const override { return url_; }

 protected:
  using Socket = typename Protocol::socket;

  virtual void take(Socket socket) = 0;

  void accept() {
    acceptor_.async_wait(asio::socket_base::wait_read,
                         [this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code failed) {
                           if (!alive.expired() && failed != asio::error::operation_aborted) take_some();
                         });
  }

  // Not with Asio's own accepting: its descriptors do not close on exec from their first
  // moment, and an R that is started before we hear of one would keep a stranger's
  // connection open.
  void take_some() {
    std::weak_ptr<int> alive = alive_;
    for (int turn = 0; turn < most_at_once; ++turn) {
      Descriptor caller(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      int failed = !caller ? errno : caller.may_stay() ? 0 : EMFILE;
      if (failed != 0 && !goes_on_after(failed, static_cast<bool>(caller))) return;
      if (caller) take_one(lowered(std::move(caller)));
      if (alive.expired()) return;
    }
    accept();
  }

  // One for whom another had to go takes that one's place: the last descriptors stay free.
  static Descriptor lowered(Descriptor caller) {
    if (caller.may_stay()) return caller;
    Descriptor lower(::fcntl(caller.get(), F_DUPFD_CLOEXEC, 0));
    return lower.may_stay() && lower ? std::move(lower) : std::move(caller);
  }

  // Whether there may be another caller to be taken now; if not, there will be later.
  bool goes_on_after(int failed, bool is_taken) {
    bool callers_own = failed == EINTR || failed == ECONNABORTED || failed == EPROTO;
    bool out_of_descriptors = failed == EMFILE || failed == ENFILE;
    if (callers_own || (out_of_descriptors && makes_room(is_taken))) return true;
    failed == EAGAIN ? accept() : rest();
    return false;
  }

  // One that is taken already is turned away by whoever holds it.
  bool makes_room(bool is_taken) {
    warn();
    if (strangers_ != nullptr && strangers_->expel_oldest()) return true;
    if (!is_taken) turn_away();
    return false;
  }

  void take_one(Descriptor descriptor) {
    boost::system::error_code failed;
    auto here = acceptor_.local_endpoint(failed);
    Socket socket(acceptor_.get_executor());
    if (!failed) socket.assign(here.protocol(), descriptor.get(), failed);
    if (failed) return;
    (void)descriptor.release();
    take(std::move(socket));
  }

  // One line says it for a while, however many come.
  void warn() {
    auto now = std::chrono::steady_clock::now();
    if (warned_ && now - *warned_ < std::chrono::seconds(10)) return;
    warned_ = now;
    spdlog::warn("out of file descriptors at {}: raise the limit (ulimit -n)", to_string(url_));
  }

  void turn_away() {
    spare_descriptor() = Descriptor();
    int taken = ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (taken >= 0) ::close(taken);
    spare_descriptor() = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }

  void rest() {
    rest_.expires_after(std::chrono::milliseconds(100));
    rest_.async_wait([this, alive = std::weak_ptr<int>(alive_)](boost::system::error_code failed) {
      if (!failed && !alive.expired()) accept();
    });
  }

  // Then the others have their turn.
  static constexpr int most_at_once = 64;

  typename Protocol::acceptor acceptor_;
  asio::steady_timer rest_;
  Url url_;
  Strangers* strangers_;
  std::optional<std::chrono::steady_clock::time_point> warned_;
  OnAccept on_accept_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class LocalListener final : public Acceptor<asio::local::stream_protocol> {
 public:
  using Acceptor::Acceptor;

  ~LocalListener() override {
    if (owns_file_) ::unlink(url_.path.c_str());
  }

  Result<Done> open() {
    auto endpoint = local_endpoint(url_);
    if (!endpoint) return endpoint.error();
    if (url_.scheme == Url::Scheme::ipc) remove_leftover();
    boost::system::error_code failed;
    acceptor_.open(endpoint->protocol(), failed);
    if (!failed) acceptor_.bind(*endpoint, failed);
    if (!failed && url_.scheme == Url::Scheme::ipc) {
      owns_file_ = true;
      ::chmod(url_.path.c_str(), 0600);
    }
    if (!failed) acceptor_.listen(SOMAXCONN, failed);
    if (!failed) acceptor_.non_blocking(true, failed);
    if (failed) return cannot_listen(url_, failed);
    ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    accept();
    return Done{};
  }

 private:
  // A socket file on which nobody listens any more.
  void remove_leftover() {
    struct stat status {};
    if (::lstat(url_.path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode) || status.st_uid != ::geteuid())
      return;
    asio::local::stream_protocol::socket probe(acceptor_.get_executor());
    if (connect_at_once(probe, url_) == asio::error::connection_refused) ::unlink(url_.path.c_str());
  }

  void take(Socket socket) override {
    Result<Peer> peer = local_peer(socket.native_handle());
    if (!peer) {
      spdlog::warn("{} at {}", peer.error().message, to_string(url_));
      return;
    }
    on_accept_(make_socket_connection(std::move(socket), std::move(*peer)));
  }

  bool owns_file_ = false;
};

class NetworkListener final : public Acceptor<asio::ip::tcp> {
 public:
  NetworkListener(asio::any_io_executor executor, Door door, OnAccept on_accept)
      : Acceptor(executor, door.url, door.strangers, std::move(on_accept)), door_(std::move(door)) {}

  Result<Done> open() {
    boost::system::error_code failed;
    asio::ip::tcp::endpoint endpoint = resolve(failed);
    if (failed) {
      return cannot_listen(
          url_, failed, "; the host must be a name or an address of this machine, or empty for all of them");
    }
    acceptor_.open(endpoint.protocol(), failed);
    if (!failed) acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
    // All interfaces means both protocols.
    if (!failed && endpoint.protocol() == asio::ip::tcp::v6() && url_.host.empty()) {
      acceptor_.set_option(asio::ip::v6_only(false), failed);
    }
    if (!failed) acceptor_.bind(endpoint, failed);
    if (!failed) acceptor_.listen(SOMAXCONN, failed);
    if (!failed) acceptor_.non_blocking(true, failed);
    if (failed) {
      bool taken = failed == asio::error::address_in_use;
      return cannot_listen(url_, failed,
                           taken ? "; another program has this port, port 0 takes a free one" : "");
    }
    ::fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    url_.port = acceptor_.local_endpoint().port();
    accept();
    return Done{};
  }

  std::string address() const override {
    boost::system::error_code failed;
    auto here = acceptor_.local_endpoint(failed);
    return failed ? std::string() : here.address().to_string();
  }

 private:
  asio::ip::tcp::endpoint resolve(boost::system::error_code& failed) {
    if (url_.host.empty()) {
      asio::ip::tcp::acceptor probe(acceptor_.get_executor());
      boost::system::error_code no_v6;
      probe.open(asio::ip::tcp::v6(), no_v6);
      return {no_v6 ? asio::ip::tcp::v4() : asio::ip::tcp::v6(), url_.port};
    }
    asio::ip::tcp::resolver resolver(acceptor_.get_executor());
    auto found =
        resolver.resolve(url_.host, std::to_string(url_.port),
                         asio::ip::resolver_base::passive | asio::ip::resolver_base::numeric_service, failed);
    return failed || found.empty() ? asio::ip::tcp::endpoint() : found.begin()->endpoint();
  }

  void take(Socket socket) override {
    tune_network_socket(socket.native_handle());
    boost::system::error_code failed;
    auto from = socket.remote_endpoint(failed);
    if (failed) return;
    Peer peer;
    peer.address = from.address().to_string() + ":" + std::to_string(from.port());
    peer.network = true;
    peer.port = url_.port;
    accept_network(std::move(socket), std::move(peer), door_, on_accept_);
  }

  Door door_;
};

template <class Kind>
Result<std::unique_ptr<Listener>> opened(std::unique_ptr<Kind> listener) {
  Result<Done> open = listener->open();
  if (!open) return open.error();
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(asio::any_io_executor executor, Door door,
                                                 OnAccept on_accept) {
  if (!is_network(door.url)) {
    return opened(std::make_unique<LocalListener>(executor, door.url, door.strangers, std::move(on_accept)));
  }
  door.url.path.clear();
  return opened(std::make_unique<NetworkListener>(executor, std::move(door), std::move(on_accept)));
}

}  // namespace tenkai
