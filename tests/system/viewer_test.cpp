// Those who look on, at a real dispatcher.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/siege.h"

using namespace tenkai;
using namespace tenkai::test;

namespace {

// Where a dispatcher lets viewers in; empty where it does not.
std::string door_of(pid_t dispatcher) {
  std::ifstream sockets("/proc/net/unix");
  std::string name = "@tenkai-" + std::to_string(::geteuid()) + "-viewer-" + std::to_string(dispatcher) + "-";
  for (std::string line; std::getline(sockets, line);) {
    std::size_t at = line.find(name);
    if (at != line.npos && line.find(" 00010000 ") != line.npos) return "abstract://" + line.substr(at + 1);
  }
  return {};
}

// A viewer that has been let in; throws the reason where it is not.
class TestViewer {
 public:
  explicit TestViewer(pid_t dispatcher) : stream(TestPeer::dial(door_of(dispatcher))) {
    stream.send(hello(Role::viewer, ""));
    std::optional<Frame> answer = stream.receive();
    if (!answer) throw std::runtime_error("the connection was closed");
    if (answer->type != Type::welcome) throw std::runtime_error(answer->text(Key::message));
  }

  void request(std::string_view name, std::string_view payload = {}) {
    Frame frame(Type::request);
    frame.task = ++last_;
    frame.payload = make_payload(payload);
    stream.send(std::move(frame.with(Key::name, name)));
  }

  Frame ask(std::string_view name, std::string_view payload = {}) {
    request(name, payload);
    std::optional<Frame> answer = stream.receive(Type::reply);
    if (!answer) throw std::runtime_error("the connection was closed");
    if (answer->task != last_) throw std::runtime_error("the answer to something else");
    return *answer;
  }

  std::string status() { return std::string(view_of(ask("status").payload)); }
  // Whether it has been shown out, without another word.
  bool is_out() { return !stream.receive().has_value(); }

  TestPeer stream;

 private:
  std::uint64_t last_ = 0;
};

// What the other end says first.
Frame greeted(const std::string& url, Frame greeting) {
  TestPeer peer = TestPeer::dial(url);
  peer.send(std::move(greeting));
  std::optional<Frame> answer = peer.receive();
  if (!answer) throw std::runtime_error("the connection was closed");
  return *answer;
}

// The tasks of the session, and its own requests, go on.
void check_that_it_works(TestDispatcher& dispatcher, TestDaemon& daemon, std::uint64_t task) {
  dispatcher.submit(task, "a");
  daemon.finish(daemon.task(), "b");
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

}  // namespace

TEST_CASE("a viewer is told what a dispatcher is, and what its daemons have done") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nprofile=gpu%0Aof mine\ndaemon=autoexit=NA\n");
  TestDaemon daemon(urls[1]);
  for (std::uint64_t task = 1; task <= 3; ++task) dispatcher.submit(task, "a");
  daemon.finish(daemon.task(), "b");
  daemon.task();

  std::string status = TestViewer(dispatcher.pid).status();

  CHECK(says(status, "profile=gpu%0Aof mine\n"));
  CHECK(says(status, "policy=queue\n"));
  CHECK(says(status, "autoexit=na\n"));
  CHECK(says(status, "session_pid=" + std::to_string(::getpid()) + "\n"));
  CHECK(says(status, "waiting=1\nrunning=1\ndone=1\n"));
  CHECK(says(status, "\n\n1\n" + urls[0] + "\t0\t0\t0\t0\t\n" + urls[1] + "\t1\t1\t2\t1\tbusy\n"));
}

TEST_CASE("where all daemons have one URL, viewers are told it before one is there") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=direct\ndaemons=1\n");

  CHECK(says(TestViewer(dispatcher.pid).status(), "url=" + urls[0] + "\n"));
}

TEST_CASE("a launch plan that cannot be carried out is answered with the reason") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestViewer viewer(dispatcher.pid);

  Frame answer = viewer.ask("launch_remote", "configuration=plugin=none%0Aform=daemon\nslot=1\n");

  CHECK(answer.number(Key::code) == 19);
  CHECK(says(answer.text(Key::message), "there is no launcher plugin 'none'"));
  CHECK(says(viewer.status(), "policy=queue\n"));
}

TEST_CASE("a viewer that says anything but its two requests is shown out, and nobody else notices") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);
  auto type = GENERATE(Type::submit, Type::everywhere, Type::cancel, Type::setup, Type::hello, Type::bye,
                       Type::finished, Type::task, Type::join);
  TestViewer viewer(dispatcher.pid);
  Frame frame(type);
  frame.task = 1;
  frame.payload = make_payload("policy=queue\ndaemons=1\n");

  viewer.stream.send(std::move(frame));

  CHECK(viewer.is_out());
  check_that_it_works(dispatcher, daemon, 1);
}

TEST_CASE("the other requests of a session are none of a viewer") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\nurl=tcp://127.0.0.1:0\n");
  std::string name = GENERATE("credential", "certificate", "saisei", "launch", "await", "", "stat\ns");
  TestViewer viewer(dispatcher.pid);

  viewer.request(name, "slot=1\n");

  CHECK(viewer.is_out());
}

TEST_CASE("bytes that are no frame are the end of a viewer, greeted or not") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);
  std::string bytes = GENERATE(std::string(200, '\0'), std::string(200, '\xff'),
                               std::string("GET / HTTP/1.1\r\n"), encode_head(Frame(Type::request)));
  TestPeer stranger = TestPeer::dial(door_of(dispatcher.pid));
  TestViewer viewer(dispatcher.pid);

  stranger.send_bytes(bytes);
  viewer.stream.send_bytes(bytes);

  CHECK(!stranger.receive().has_value());
  CHECK(viewer.is_out());
  check_that_it_works(dispatcher, daemon, 1);
}

TEST_CASE("a viewer of another version is refused, and told of both") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\n");
  Frame greeting(Type::hello);
  greeting.with(Key::role, static_cast<std::uint64_t>(Role::viewer)).with(Key::version, "0.0.1");

  Frame answer = greeted(door_of(dispatcher.pid), std::move(greeting));

  CHECK(answer.type == Type::refused);
  CHECK(says(answer.text(Key::message), "tenkai 0.0.1"));
  CHECK(answer.text(Key::version) == program_version);
}

TEST_CASE("each role has its own door") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  auto role = GENERATE(Role::daemon, Role::agent, Role::session, static_cast<Role>(0));

  CHECK(greeted(door_of(dispatcher.pid), hello(role, urls[0])).text(Key::message) ==
        "only viewers come in here");
  CHECK(greeted(urls[0], hello(Role::viewer, urls[0])).type == Type::refused);
}

TEST_CASE("the seventeenth viewer is refused, and let in when another one has left") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=1\n");
  std::vector<std::unique_ptr<TestViewer>> viewers;
  for (int i = 0; i < 16; ++i) viewers.push_back(std::make_unique<TestViewer>(dispatcher.pid));

  CHECK_THROWS_WITH(TestViewer(dispatcher.pid), saying("16 viewers look at this"));

  viewers.pop_back();
  bool is_in = false;
  for (int i = 0; i < 200 && !is_in; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    try {
      is_in = !TestViewer(dispatcher.pid).status().empty();
    } catch (const std::runtime_error&) {}
  }
  CHECK(is_in);
}

TEST_CASE("seventeen who say nothing keep nobody else from the dispatcher's work") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);
  std::vector<TestPeer> silent;
  for (int i = 0; i < 17; ++i) silent.push_back(TestPeer::dial(door_of(dispatcher.pid)));

  CHECK(!silent.back().receive().has_value());
  check_that_it_works(dispatcher, daemon, 1);
}

TEST_CASE("a viewer that asks on without reading is shown out") {
  TestDispatcher dispatcher;
  dispatcher.set_up("policy=queue\ndaemons=20000\nurl=ws://127.0.0.1:0\n");
  TestViewer viewer(dispatcher.pid);

  try {
    for (int i = 0; i < 3; ++i) viewer.request("status");
  } catch (const std::runtime_error&) {
    // It may be out before it has asked for the last time.
  }

  pollfd hung_up{viewer.stream.descriptor(), 0, 0};
  CHECK(::poll(&hung_up, 1, static_cast<int>(patience.count())) == 1);
  CHECK(dispatcher.status().size() == 20001);
}

TEST_CASE("there is no door for viewers before SETUP, nor behind a session that has ended") {
  TestDispatcher dispatcher;
  dispatcher.greet();
  CHECK(door_of(dispatcher.pid).empty());
  Frame setup(Type::setup);
  setup.payload = make_payload("policy=queue\ndaemons=1\n");
  dispatcher.session.send(std::move(setup));
  CHECK(dispatcher.session.receive(Type::ready).has_value());
  pid_t pid = dispatcher.pid;
  TestViewer viewer(pid);

  dispatcher.session.close();

  CHECK(viewer.is_out());
  CHECK(dispatcher.has_ended());
  CHECK(door_of(pid).empty());
}

TEST_CASE("another user who comes to the viewers' door is let go without a byte") {
  if (::geteuid() != 0) return;  // only root can become another user
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  TestDaemon daemon(urls[0]);
  std::string door = door_of(dispatcher.pid);

  pid_t stranger = ::fork();
  if (stranger == 0) {
    bool is_told = true;
    try {
      if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
      TestPeer peer = TestPeer::dial(door);
      is_told = peer.receive().has_value();
    } catch (const std::exception&) {
      ::_exit(3);
    }
    ::_exit(is_told ? 1 : 0);
  }
  int status = -1;
  ::waitpid(stranger, &status, 0);

  CHECK(WEXITSTATUS(status) == 0);
  check_that_it_works(dispatcher, daemon, 1);
}
