#include "tests/system/tls_peer.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace tenkai::test {
namespace {

// OpenSSL writes to sockets in a way that ends a program whose peer has gone.
const bool pipes_are_ignored = ::signal(SIGPIPE, SIG_IGN) != SIG_ERR;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Descriptor connected(std::uint16_t port) {
  Descriptor descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  if (::connect(descriptor.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("nobody listens at port " + std::to_string(port));
  }
  return descriptor;
}

// Whoever says nothing within the patience of a test has hung up.
void limit_waiting(int descriptor) {
  timeval limit{patience.count() / 1000, 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

SSL_CTX* dialling(const TlsPeer::Settings& settings) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, settings.newest);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  if (settings.shown != nullptr) {
    SSL_CTX* own = settings.shown->context()->native_handle();
    SSL_CTX_use_certificate(context, SSL_CTX_get0_certificate(own));
    SSL_CTX_use_PrivateKey(context, SSL_CTX_get0_privatekey(own));
  }
  return context;
}

}  // namespace

std::unique_ptr<TlsPeer> TlsPeer::dial(std::uint16_t port, Settings settings) {
  return std::unique_ptr<TlsPeer>(new TlsPeer(connected(port), dialling(settings), true));
}

std::unique_ptr<TlsPeer> TlsPeer::answer(Descriptor connection, const TlsIdentity& identity) {
  SSL_CTX* context = identity.context()->native_handle();
  SSL_CTX_up_ref(context);
  return std::unique_ptr<TlsPeer>(new TlsPeer(std::move(connection), context, false));
}

TlsPeer::TlsPeer(Descriptor connection, SSL_CTX* context, bool dials)
    : stream(Descriptor()),
      connection_(std::move(connection)),
      context_(context, SSL_CTX_free),
      ssl_(SSL_new(context), SSL_free) {
  limit_waiting(connection_.get());
  SSL_set_fd(ssl_.get(), connection_.get());
  ERR_clear_error();
  settle(dials ? SSL_connect(ssl_.get()) : SSL_accept(ssl_.get()));
}

void TlsPeer::settle(int outcome) {
  auto [ours, theirs] = std::move(*make_socketpair());
  stream = TestPeer(std::move(ours));
  if (outcome != 1) {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    failure_ = reason == nullptr ? "the other end hung up" : reason;
    connection_ = Descriptor();
    return;
  }
  Result<Digest> binding = channel_binding(ssl_.get());
  if (binding) binding_.assign(reinterpret_cast<const char*>(binding->data()), binding->size());
  inner_ = std::move(theirs);
  thread_ = std::thread([this] { pass_on(); });
}

TlsPeer::~TlsPeer() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void TlsPeer::pass_on() {
  bool goes_on = true;
  while (goes_on && !stop_) {
    pollfd ends[2] = {{connection_.get(), POLLIN, 0}, {inner_.get(), POLLIN, 0}};
    if (::poll(ends, 2, 20) <= 0) continue;
    if (ends[1].revents != 0) goes_on = to_network();
    if (goes_on && ends[0].revents != 0) goes_on = from_network();
  }
  inner_ = Descriptor();
  connection_ = Descriptor();
}

bool TlsPeer::from_network() {
  do {
    std::array<char, 16384> bytes{};
    int size = SSL_read(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) return false;
    received_ += static_cast<std::size_t>(size);
    if (::send(inner_.get(), bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size)
      return false;
  } while (SSL_pending(ssl_.get()) > 0);
  return true;
}

bool TlsPeer::to_network() {
  std::array<char, 16384> bytes{};
  ssize_t size = ::recv(inner_.get(), bytes.data(), bytes.size(), 0);
  return size > 0 && SSL_write(ssl_.get(), bytes.data(), static_cast<int>(size)) == size;
}

Port::Port(std::uint16_t number) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  int yes = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = loopback(number);
  socklen_t size = sizeof address;
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_.get(), 64) != 0 ||
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the test cannot listen at port " + std::to_string(number));
  }
  number_ = ntohs(address.sin_port);
}

Descriptor Port::accept(std::chrono::milliseconds limit) {
  pollfd waiting{listener_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return Descriptor();
  return Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace tenkai::test
