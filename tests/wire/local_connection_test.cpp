// Connections over real sockets of this machine, all in one thread.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "tests/catch.h"
#include "tests/send_with_file.h"
#include "wire/connection.h"

using namespace tenkai;

namespace {

// A connection, and the bare other end of it.
struct Pair {
  explicit Pair(asio::io_context& io) {
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) == 0);
    other = Descriptor(both[1]);
    connection = adopt_socket(io.get_executor(), both[0], "the other end");
    connection->set_limit(max_payload);
  }

  void start() {
    connection->start({[this](Frame&& frame) {
                         frames.push_back(std::move(frame));
                         if (then) then();
                       },
                       [this](const Connection::End& how) { end = how; }});
  }

  // Bytes that the kernel has taken.
  std::size_t put(const std::string& bytes) const {
    ssize_t size = ::send(other.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }

  void put_with_file(const std::string& bytes, int file) const {
    REQUIRE(send_with_file(other.get(), bytes, file) == static_cast<ssize_t>(bytes.size()));
  }

  std::size_t take_all() const {
    std::vector<char> room(1 << 20);
    std::size_t all = 0;
    for (ssize_t size = 1; size > 0; all += size > 0 ? static_cast<std::size_t>(size) : 0)
      size = ::recv(other.get(), room.data(), room.size(), 0);
    return all;
  }

  Descriptor other;
  ConnectionPtr connection;
  std::vector<Frame> frames;
  std::function<void()> then;  // after each of them
  std::optional<Connection::End> end;
};

std::string ping(std::uint64_t number) {
  Frame frame(Type::ping);
  frame.task = number;
  return encode_head(frame);
}

std::string many_pings(std::uint64_t count) {
  std::string bytes;
  for (std::uint64_t i = 0; i < count; ++i) bytes += ping(i);
  return bytes;
}

}  // namespace

TEST_CASE("what is there before anybody reads is read to its end, and then the end is told") {
  asio::io_context io(1);
  Pair pair(io);
  std::size_t wanted = 2000;
  REQUIRE(pair.put(many_pings(wanted)) == wanted * ping(0).size());
  pair.other = Descriptor();

  pair.start();
  io.run();

  CHECK(pair.frames.size() == wanted);
  REQUIRE(pair.end);
  CHECK(pair.end->orderly);
}

TEST_CASE("a peer that has more than is read in one turn is read on") {
  asio::io_context io(1);
  Pair pair(io);
  pair.start();
  std::string bytes = many_pings(1000);
  std::size_t put = 0;
  // Each turn reads at most sixteen times 128 KiB, a socket holds less: it is filled meanwhile.
  std::size_t turns = 0;
  pair.then = [&] {
    if (put < 100 * bytes.size() && ++turns % 100 == 0) put += pair.put(bytes.substr(put % bytes.size()));
    else if (put >= 100 * bytes.size()) pair.other = Descriptor();
  };
  put += pair.put(bytes);

  io.run();

  CHECK(pair.frames.size() * ping(0).size() >= 100 * bytes.size());
  CHECK(pair.end);
}

TEST_CASE("one that writes all the time gets no larger share with time") {
  asio::io_context io(1);
  Pair busy(io);
  Pair quiet(io);
  std::string many = many_pings(4000);
  std::size_t put = 0;
  auto fill = [&] {
    for (std::size_t size = 1; size > 0; put += size) size = busy.put(many.substr(put % many.size()));
  };
  std::size_t before = 0;
  std::vector<std::size_t> shares;  // frames of the busy one between two of the quiet one
  busy.then = [&] {
    if (busy.frames.size() == 500) {
      before += busy.frames.size();
      busy.frames.clear();
      fill();
    }
  };
  quiet.then = [&] {
    shares.push_back(before + busy.frames.size());
    before = 0;
    busy.frames.clear();
    if (shares.size() == 12) return io.stop();
    quiet.put(ping(0));
  };
  busy.start();
  quiet.start();
  fill();
  quiet.put(ping(0));

  io.run_for(std::chrono::seconds(60));

  REQUIRE(shares.size() == 12);
  // Sixteen reads of 128 KiB.
  CHECK(shares.back() <= 16 * (131072 / ping(0).size() + 1));
}

TEST_CASE("frames behind one that brings a file come without anything new") {
  asio::io_context io(1);
  Pair pair(io);
  Descriptor file(::memfd_create("payload", MFD_ALLOW_SEALING | MFD_CLOEXEC));
  REQUIRE(::write(file.get(), "content", 7) == 7);
  REQUIRE(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK) == 0);
  Frame frame(Type::finished);
  frame.payload = make_payload("content");
  pair.put_with_file(encode_head(frame, in_file), file.get());
  pair.put(ping(1));
  pair.put_with_file(encode_head(frame, in_file), file.get());
  pair.put(ping(2));
  pair.start();

  // No more is sent, so nobody tells us again.
  io.poll();

  REQUIRE(pair.frames.size() == 4);
  CHECK(view_of(pair.frames[0].payload) == "content");
  CHECK(pair.frames[3].task == 2);
}

TEST_CASE("one that ends another which is ready in the same turn ends it for good") {
  asio::io_context io(1);
  Pair first(io);
  Pair second(io);
  first.start();
  second.start();
  first.put(ping(1));
  second.put(ping(1));
  first.then = [&] { second.connection->drop("enough"); };
  second.then = [&] { first.connection->drop("enough"); };

  io.run_for(std::chrono::seconds(5));

  CHECK(first.frames.size() + second.frames.size() == 1);
  CHECK((first.end.has_value() != second.end.has_value()));
}

TEST_CASE("what the kernel does not take goes out when it takes more, in order") {
  asio::io_context io(1);
  Pair pair(io);
  pair.start();
  std::size_t size = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Frame frame(Type::task);
    frame.task = i;
    frame.payload = make_payload(std::string(1000, 'x'));
    size += encode_head(frame).size() + 1000;
    pair.connection->send(std::move(frame));
  }
  REQUIRE(pair.connection->unread() > 0);
  pair.connection->close();
  std::size_t taken = 0;
  while (!pair.end) {
    taken += pair.take_all();
    io.run_one_for(std::chrono::seconds(5));
  }
  taken += pair.take_all();

  CHECK(taken == size);
  CHECK(pair.end->orderly);
}

TEST_CASE("what is sent before anybody reads goes out, too") {
  asio::io_context io(1);
  Pair pair(io);
  for (int i = 0; i < 3000; ++i) {
    Frame frame(Type::task);
    frame.payload = make_payload(std::string(1000, 'x'));
    pair.connection->send(std::move(frame));
  }
  std::size_t taken = 0;
  while (pair.connection->unread() > 0) {
    taken += pair.take_all();
    io.run_one_for(std::chrono::seconds(5));
  }
  pair.put(ping(1));
  pair.start();
  io.poll();

  CHECK(taken + pair.take_all() > 3000 * 1000);
  CHECK(pair.frames.size() == 1);
}

TEST_CASE("an io_context that watches nobody any more comes to its end, and may begin again") {
  asio::io_context io(1);
  for (int round = 0; round < 3; ++round) {
    Pair pair(io);
    pair.start();
    pair.put(ping(1));
    pair.then = [&] { pair.connection->close(); };
    io.restart();
    io.run();
    CHECK(pair.frames.size() == 1);
    CHECK(pair.end);
  }
}

TEST_CASE("one that is dropped before it was read is let go") {
  asio::io_context io(1);
  Pair pair(io);
  Frame frame(Type::task);
  frame.payload = make_payload(std::string(1000, 'x'));
  while (pair.connection->unread() == 0) pair.connection->send(frame);
  while (pair.connection->unread() > 0) {
    pair.take_all();
    io.run_one_for(std::chrono::seconds(5));
  }
  std::weak_ptr<Connection> left = pair.connection;
  pair.connection->drop("enough");
  pair.connection = nullptr;

  io.run_for(std::chrono::seconds(5));

  CHECK(left.expired());
}

TEST_CASE("connections that are open when their io_context goes are closed") {
  Descriptor other;
  {
    asio::io_context io(1);
    Pair pair(io);
    pair.connection->start({});
    io.poll();
    other = std::move(pair.other);
  }
  char byte = 0;
  CHECK(::recv(other.get(), &byte, 1, MSG_DONTWAIT) == 0);
}
