#include "tests/system/peer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "base/text.h"
#include "base/version.h"
#include "tests/send_with_file.h"

namespace tenkai::test {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

Descriptor connect_to(int family, const sockaddr* address, socklen_t size, const std::string& url) {
  Descriptor descriptor(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(descriptor.get(), address, size) != 0)
    fail("cannot connect to " + url + ": " + std::strerror(errno));
  return descriptor;
}

std::pair<Descriptor, Descriptor> socketpair_or_fail() {
  auto pair = make_socketpair();
  if (!pair) fail(pair.error().message);
  return std::move(*pair);
}

}  // namespace

TestPeer TestPeer::dial(const std::string& text) {
  Result<Url> url = parse_url(text);
  if (!url) fail(url.error().message);
  if (is_network(*url)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(url->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return TestPeer(connect_to(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address, text));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::size_t skip = url->scheme == Url::Scheme::abstract ? 1 : 0;
  std::memcpy(address.sun_path + skip, url->path.data(), url->path.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + skip + url->path.size());
  return TestPeer(connect_to(AF_UNIX, reinterpret_cast<sockaddr*>(&address), size, text));
}

void TestPeer::send(Frame frame) {
  send_bytes(encode_head(frame));
  send_bytes(view_of(frame.payload));
}

void TestPeer::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail(std::string("cannot send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void TestPeer::send_as_file(const Frame& frame) {
  Descriptor file(::memfd_create("payload", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  std::string_view content = view_of(frame.payload);
  bool written =
      ::write(file.get(), content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
  std::string head = encode_head(frame, in_file);
  ssize_t sent = send_with_file(descriptor_.get(), head, file.get());
  if (!written || sent != static_cast<ssize_t>(head.size())) fail("cannot send a file");
}

bool TestPeer::read_some(std::chrono::milliseconds limit) {
  pollfd waiting{descriptor_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(limit.count())) <= 0) return false;
  FrameReader::Room room = reader_.room();
  ssize_t size = ::recv(descriptor_.get(), room.data, room.size, 0);
  if (size <= 0) {
    ended_ = true;
    return true;
  }
  if (!reader_.commit(static_cast<std::size_t>(size),
                      [this](Frame&& frame) { frames_.push_back(std::move(frame)); })) {
    fail(reader_.error());
  }
  return true;
}

void TestPeer::wait_for_more(std::chrono::steady_clock::time_point until) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  if (left.count() < 0 || !read_some(left)) fail("no frame came in time");
}

std::optional<Frame> TestPeer::receive(std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (frames_.empty() && !ended_) wait_for_more(until);
  if (frames_.empty()) return std::nullopt;
  Frame frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

std::optional<Frame> TestPeer::receive(Type type, std::chrono::milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    auto found =
        std::find_if(frames_.begin(), frames_.end(), [&](const Frame& frame) { return frame.type == type; });
    if (found != frames_.end()) {
      Frame frame = std::move(*found);
      frames_.erase(found);
      return frame;
    }
    if (ended_) return std::nullopt;
    wait_for_more(until);
  }
}

bool TestPeer::is_silent(std::chrono::milliseconds time) {
  return frames_.empty() && !ended_ && !read_some(time);
}

Frame hello(Role role, const std::string& url) {
  Frame frame(Type::hello);
  frame.with(Key::role, static_cast<std::uint64_t>(role))
      .with(Key::version, program_version)
      .with(Key::url, url);
  return frame;
}

TestDispatcher::TestDispatcher(int descriptors) : session(Descriptor()) {
  auto [ours, theirs] = socketpair_or_fail();
  Spawn what;
  what.argv = {std::string(TENKAI_TEST_BIN) + "/tenkai", "dispatcher"};
  if (descriptors > 0) {
    what.argv = {"/bin/sh", "-c", "ulimit -n " + std::to_string(descriptors) + "; exec \"$0\" dispatcher",
                 what.argv.front()};
  }
  what.descriptors = {{theirs.get(), 3}};
  what.inherit_output = true;
  Result<pid_t> started = spawn(what);
  if (!started) fail(started.error().message);
  pid = *started;
  session = TestPeer(std::move(ours));
}

TestDispatcher::~TestDispatcher() {
  session.close();
  if (!has_ended()) kill(SIGKILL);
}

void TestDispatcher::kill(int signal) {
  if (pid > 0) ::kill(pid, signal);
}

bool TestDispatcher::has_ended(std::chrono::milliseconds limit) {
  for (auto waited = std::chrono::milliseconds(0); pid > 0; waited += std::chrono::milliseconds(5)) {
    if (::waitpid(pid, nullptr, WNOHANG) == pid) pid = -1;
    if (pid > 0 && waited > limit) return false;
    if (pid > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void TestDispatcher::greet() {
  session.send(hello(Role::session, ""));
  if (auto answer = session.receive(); !answer || answer->type != Type::welcome) fail("no WELCOME");
}

std::string write_program(const std::string& path, const std::string& commands) {
  std::ofstream(path) << "#!/bin/sh\n" << commands << "\n";
  ::chmod(path.c_str(), 0700);
  return path;
}

std::vector<std::string> TestDispatcher::set_up(const std::string& lines) {
  greet();
  Frame setup(Type::setup);
  setup.payload = make_payload(lines);
  session.send(std::move(setup));
  std::optional<Frame> answer = session.receive();
  if (!answer) fail("the dispatcher has ended");
  if (answer->type == Type::refused) fail(answer->text(Key::message));
  std::vector<std::string> urls;
  for (std::string_view line : split(view_of(answer->payload), '\n')) {
    if (line.starts_with("url=")) urls.emplace_back(line.substr(4));
  }
  return urls;
}

void TestDispatcher::submit(std::uint64_t task, std::string_view payload,
                            std::optional<std::uint64_t> timeout_ms) {
  Frame frame(Type::submit);
  frame.task = task;
  frame.payload = make_payload(payload);
  if (timeout_ms) frame.with(Key::timeout_ms, *timeout_ms);
  session.send(std::move(frame));
}

Frame TestDispatcher::resolved() {
  std::optional<Frame> frame = session.receive(Type::resolved);
  if (!frame) fail("the dispatcher has ended");
  return *frame;
}

std::string TestDispatcher::request(const std::string& name, std::uint64_t slot, bool forced) {
  Frame frame(Type::request);
  frame.task = ++last_request_;
  frame.with(Key::name, name).with(Key::slot, slot).with(Key::timeout_ms, 5000);
  if (forced) frame.with_kind(SaiseiKind::forced);
  session.send(std::move(frame));
  std::optional<Frame> answer = session.receive(Type::reply);
  if (!answer) fail("the dispatcher has ended");
  if (answer->find(Key::message) != nullptr) fail(answer->text(Key::message));
  return std::string(view_of(answer->payload));
}

std::vector<std::vector<std::string>> TestDispatcher::status() {
  std::vector<std::vector<std::string>> rows;
  std::string lines = request("status");
  for (std::string_view line : split(lines, '\n')) {
    if (line.empty()) continue;
    rows.emplace_back();
    for (std::string_view cell : split(line, '\t')) rows.back().emplace_back(cell);
  }
  return rows;
}

Resumption prove(TestPeer& peer, Role role, const std::string& line, Frame introduction,
                 const std::string& binding, std::uint32_t rank) {
  Result<Credential> credential = parse_credential(line);
  if (!credential) fail(credential.error().message);
  Secret token = credential->ranks == 0 ? credential->token.copy() : rank_token(credential->token, rank);
  DiallerHandshake handshake(credential->id, std::move(token), rank, binding);
  peer.send(*handshake.hello(role, program_version));
  std::optional<Frame> challenge = peer.receive();
  if (!challenge) fail("the connection was closed");
  if (challenge->type == Type::refused) fail(challenge->text(Key::message));
  Result<Frame> proof = handshake.on_challenge(*challenge, std::move(introduction));
  if (!proof) fail(proof.error().message);
  peer.send(std::move(*proof));
  return handshake.resumption();
}

TestDaemon::TestDaemon(const std::string& url, const std::string& credential) : stream(TestPeer::dial(url)) {
  if (credential.empty()) {
    stream.send(hello(Role::daemon, url));
  } else {
    prove(stream, Role::daemon, credential, hello(Role::daemon, url));
  }
  std::optional<Frame> answer = stream.receive();
  if (!answer) fail("the connection was closed");
  if (answer->type != Type::welcome) fail(answer->text(Key::message));
}

Frame TestDaemon::task() {
  std::optional<Frame> frame = stream.receive(Type::task);
  if (!frame) fail("the connection was closed");
  return *frame;
}

void TestDaemon::finish(const Frame& task, std::string_view payload) {
  Frame frame(Type::finished);
  frame.session = task.session;
  frame.task = task.task;
  frame.attempt = task.attempt;
  frame.rank = task.rank;
  frame.payload = make_payload(payload);
  stream.send(std::move(frame));
}

}  // namespace tenkai::test
