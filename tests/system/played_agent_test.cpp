// A real dispatcher and agents that the test plays, with their daemons.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/siege.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

std::string state(TestDispatcher& dispatcher) { return dispatcher.status()[1][5]; }

// An agent played by the test itself, with daemons that it plays, too.
class PlayedAgent {
 public:
  explicit PlayedAgent(const std::string& url, const std::string& instance)
      : stream(TestPeer::dial(url)), url_(url) {
    Frame frame = hello(Role::agent, url);
    stream.send(std::move(frame.with(Key::instance, instance)));
    REQUIRE(stream.receive(Type::welcome));
  }
  void join(std::uint32_t rank, const std::string& url, const Frame* held = nullptr) {
    Frame frame(Type::join);
    frame.rank = rank;
    if (held != nullptr) {
      frame.session = held->session;
      frame.task = held->task;
      frame.attempt = held->attempt;
    }
    stream.send(std::move(frame.with(Key::url, url).with(Key::instance, "R " + std::to_string(rank))));
  }
  TestPeer stream;

 private:
  std::string url_;
};

}  // namespace

TEST_CASE("saisei by force works while the agent of the slot is away") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  {
    PlayedAgent agent(urls[0], "one");
    agent.join(0, urls[0]);
    REQUIRE(eventually([&] { return dispatcher.status()[1][1] == "1"; }));
  }
  REQUIRE(eventually([&] { return state(dispatcher) == "suspect"; }));

  CHECK(!dispatcher.request("saisei", 1, true).empty());
  CHECK(dispatcher.status()[1][1] == "0");
}

TEST_CASE("an agent on a local socket that dies is lost, and its task handed on") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nreconnect_ms=500\n");
  {
    PlayedAgent agent(urls[0], "one");
    agent.join(0, urls[0]);
    dispatcher.submit(1, "a");
    REQUIRE(agent.stream.receive(Type::task));
  }
  TestDaemon other(urls[1]);

  CHECK(other.task().attempt == 2);
}

TEST_CASE("a reconnected agent gets a task that it does not hold once, not twice") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  {
    PlayedAgent agent(urls[0], "one");
    agent.join(0, urls[0]);
    REQUIRE(eventually([&] { return dispatcher.status()[1][1] == "1"; }));
  }
  REQUIRE(eventually([&] { return state(dispatcher) == "suspect"; }));
  dispatcher.submit(1, "a");

  PlayedAgent again(urls[0], "one");
  again.join(0, urls[0]);

  REQUIRE(again.stream.receive(Type::welcome));
  CHECK(again.stream.receive(Type::task)->attempt == 1);
  CHECK(again.stream.is_silent(300ms));
}

TEST_CASE("an agent whose break nobody has noticed gets no task before it says what it holds") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  PlayedAgent agent(urls[0], "one");
  agent.join(0, urls[0]);
  REQUIRE(eventually([&] { return dispatcher.status()[1][1] == "1"; }));

  PlayedAgent again(urls[0], "one");
  dispatcher.submit(1, "a");
  CHECK(again.stream.is_silent(300ms));
  again.join(0, urls[0]);

  CHECK(again.stream.receive(Type::task)->attempt == 1);
}

TEST_CASE("a daemon whose welcome was lost with the connection is welcomed when it is back") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\n");
  {
    PlayedAgent agent(urls[0], "one");
    agent.join(0, urls[0]);
    REQUIRE(eventually([&] { return dispatcher.status()[1][1] == "1"; }));
  }

  PlayedAgent again(urls[0], "one");
  again.join(0, urls[0]);

  std::optional<Frame> welcome = again.stream.receive(Type::welcome);
  REQUIRE(welcome);
  CHECK(welcome->number(Key::slot) == 1);
}

TEST_CASE("a daemon that ended while its agent was away is told of, and its task goes on") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\n");
  {
    PlayedAgent agent(urls[0], "one");
    agent.join(0, urls[0]);
    dispatcher.submit(1, "a");
    REQUIRE(agent.stream.receive(Type::task));
  }
  PlayedAgent again(urls[0], "one");
  Frame left(Type::left);
  left.with(Key::signal, 9).with(Key::instance, "R 0");
  again.stream.send(left);
  again.join(1, urls[1]);

  CHECK(again.stream.receive(Type::task)->rank == 1);
  CHECK(dispatcher.status()[1][1] == "0");
}

TEST_CASE("an agent with too many daemons, or that does not read, is dropped") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=direct\n");
  PlayedAgent agent(urls[0], "one");

  SECTION("too many daemons") {
    agent.join(4096, urls[0]);
    CHECK(!agent.stream.receive(Type::task).has_value());
  }
  SECTION("pings without end, and no look at the answers") {
    std::string pings;
    for (int i = 0; i < 1000; ++i) pings += encode_head(Frame(Type::ping));
    CHECK_THROWS([&] {
      for (int i = 0; i < 10000; ++i) agent.stream.send_bytes(pings);
    }());
  }
}
