// The real agent between a real dispatcher and an R that the test plays.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/proxy.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

// A process that stands for R's: it only has to be there.
class Sleeper {
 public:
  Sleeper() {
    Spawn what;
    what.argv = {"sleep", "300"};
    pid = *spawn(what);
  }
  ~Sleeper() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  pid_t pid;
};

class TestAgent {
 public:
  explicit TestAgent(const std::string& url, const std::string& credential = {},
                     std::vector<std::string> more = {})
      : r(Descriptor()) {
    auto [ours, theirs] = std::move(*make_socketpair());
    auto [line, written] = std::move(*make_pipe());
    if (::write(written.get(), credential.data(), credential.size()) < 0) throw std::runtime_error("pipe");
    written = Descriptor();
    Spawn what;
    what.argv = {std::string(TENKAI_TEST_BIN) + "/tenkai",
                 "agent",
                 "--url",
                 url,
                 "--adopt-pid",
                 std::to_string(sleeper.pid),
                 "--adopt-fd",
                 "3"};
    what.argv.insert(what.argv.end(), more.begin(), more.end());
    what.descriptors = {{theirs.get(), 3}};
    if (!credential.empty()) {
      what.argv.insert(what.argv.end(), {"--credential", "fd:4"});
      what.descriptors.emplace_back(line.get(), 4);
    }
    what.inherit_output = true;
    pid = *spawn(what);
    r = TestPeer(std::move(ours));
  }
  ~TestAgent() {
    r.close();
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  void say_hello() {
    Frame frame = hello(Role::daemon, "");
    r.send(std::move(frame.with(Key::instance, "an R")));
  }
  void greet() {
    say_hello();
    std::optional<Frame> answer = r.receive();
    if (!answer || answer->type != Type::welcome)
      throw std::runtime_error(answer ? answer->text(Key::message) : "end");
  }
  Frame task() { return *r.receive(Type::task); }
  void finish(const Frame& task, std::string_view payload) {
    Frame frame(Type::finished);
    frame.session = task.session;
    frame.task = task.task;
    frame.attempt = task.attempt;
    frame.payload = make_payload(payload);
    r.send(std::move(frame));
  }

  Sleeper sleeper;
  TestPeer r;
  pid_t pid = -1;
};

std::string large_payload() {
  std::string large(5 * 1024 * 1024 + 17, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 2654435761u >> 24);
  return large;
}

std::string state(TestDispatcher& dispatcher) { return dispatcher.status()[1][5]; }

// Waits until it is true, and says whether it became so.
template <class Question>
bool eventually(Question question, std::chrono::milliseconds limit = patience) {
  auto until = std::chrono::steady_clock::now() + limit;
  while (!question()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

}  // namespace

TEST_CASE("a task reaches an R behind an agent, and its value comes back") {
  std::string listen =
      GENERATE("tcp://127.0.0.1:0", "ws://127.0.0.1:0/base", "ws://127.0.0.1:0", "ws://[::1]:0/x");
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + listen + "\n");
  TestAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();

  dispatcher.submit(1, "expression");
  Frame task = agent.task();
  agent.finish(task, "value");

  CHECK(view_of(task.payload) == "expression");
  CHECK(view_of(dispatcher.resolved().payload) == "value");
}

TEST_CASE("payloads larger than a segment arrive whole, both ways") {
  std::string listen = GENERATE("tcp://127.0.0.1:0", "ws://127.0.0.1:0/base");
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + listen + "\n");
  TestAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();
  std::string large = large_payload();

  dispatcher.submit(1, large);
  Frame task = agent.task();
  bool same = view_of(task.payload) == large;
  agent.finish(task, view_of(task.payload));

  CHECK(same);
  CHECK((view_of(dispatcher.resolved().payload) == large));
}

TEST_CASE("several slots share one WebSocket port, told apart by their paths") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=3\nurl=ws://127.0.0.1:0\n");
  TestAgent second(urls[1], dispatcher.credential(2));
  second.greet();

  auto status = dispatcher.status();

  CHECK(status[1][1] == "0");
  CHECK(status[2][1] == "1");
  CHECK(status[3][1] == "0");
}

TEST_CASE("nobody comes in at a path that no slot has") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0/secret\n");
  TestAgent agent(with_port("ws://127.0.0.1:1/guess", port_of(urls[0])), dispatcher.credential(1));

  CHECK_THROWS_WITH(agent.greet(), saying("HTTP status 404"));
}

TEST_CASE("an agent that finds no dispatcher tells its R why") {
  TestAgent agent("tcp://127.0.0.1:9");

  CHECK_THROWS_WITH(agent.greet(), saying("6 | Connection refused: cannot connect to tcp://127.0.0.1:9"));
}

TEST_CASE("after a break the agent comes back and delivers what its R has done meanwhile") {
  std::string listen = "ws://127.0.0.1:0";
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + listen + "\n");
  Proxy proxy(port_of(urls[0]));
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));

  agent.greet();
  dispatcher.submit(1, "a");
  Frame task = agent.task();

  proxy.stall();
  agent.finish(task, "b");
  std::this_thread::sleep_for(50ms);
  proxy.cut();
  proxy.resume();

  CHECK(view_of(dispatcher.resolved().payload) == "b");
  auto status = dispatcher.status();
  CHECK(status[1] == std::vector<std::string>{urls[0], "1", "1", "1", "1", "idle"});
  dispatcher.submit(2, "c");
  agent.finish(agent.task(), "d");
  CHECK(view_of(dispatcher.resolved().payload) == "d");
}

TEST_CASE("a task that was on its way when the connection broke is sent again") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  Proxy proxy(port_of(urls[0]));
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.greet();

  proxy.stall();
  dispatcher.submit(1, "a");
  std::this_thread::sleep_for(50ms);
  proxy.cut();
  proxy.resume();

  Frame task = agent.task();
  agent.finish(task, "b");
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

TEST_CASE("a daemon that was given up comes back when its network does", "[T14]") {
  std::string scheme = GENERATE("ws", "wss");
  TestDispatcher dispatcher;
  auto urls =
      dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + scheme + "://127.0.0.1:0\nreconnect_ms=20000\n");
  Proxy proxy(port_of(urls[0]));
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.greet();

  // Five seconds after the end of its connection it is lost.
  proxy.stall();
  proxy.cut();
  REQUIRE(eventually([&] { return dispatcher.status()[1][1] == "0"; }, 60s));
  dispatcher.submit(1, "a");
  proxy.resume();

  std::optional<Frame> task = agent.r.receive(Type::task, 60s);
  REQUIRE(task);
  agent.finish(*task, "b");
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

TEST_CASE("bytes that are changed on their way lose no daemon", "[T14]") {
  std::string scheme = GENERATE("wss", "tls+tcp");
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + scheme + "://127.0.0.1:0\n");
  Proxy proxy(port_of(urls[0]));
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.greet();
  dispatcher.submit(1, "a");
  Frame task = agent.task();

  int before = proxy.connections();
  proxy.corrupt(true);
  agent.finish(task, "b");
  REQUIRE(eventually([&] { return proxy.connections() > before + 2; }, 60s));
  proxy.corrupt(false);

  std::optional<Frame> value = dispatcher.session.receive(Type::resolved, 60s);
  REQUIRE(value);
  CHECK(view_of(value->payload) == "b");
  dispatcher.submit(2, "c");
  agent.finish(agent.task(), "d");
  CHECK(view_of(dispatcher.resolved().payload) == "d");
  CHECK(dispatcher.status()[1][2] == "1");
}

TEST_CASE("a daemon comes in over a link with two seconds of delay each way", "[T14]") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=wss://127.0.0.1:0\n");
  Proxy proxy(port_of(urls[0]));
  proxy.delay(2s);
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.say_hello();

  CHECK(eventually([&] { return dispatcher.status()[1][1] == "1"; }, 60s));
  CHECK(proxy.connections() == 1);
}

TEST_CASE("an agent that is killed loses its task to another daemon") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0\nreconnect_ms=1000\n");
  TestAgent first(urls[0], dispatcher.credential(1));
  first.greet();
  dispatcher.submit(1, "a");
  first.task();
  TestAgent second(urls[1], dispatcher.credential(2));
  second.greet();

  ::kill(first.pid, SIGKILL);

  Frame task = second.task();
  second.finish(task, "b");
  CHECK(task.attempt == 2);
  CHECK(view_of(dispatcher.resolved().payload) == "b");
}

TEST_CASE("a cancelled task interrupts the R behind an agent") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  TestAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();
  dispatcher.submit(1, "a");
  agent.task();

  Frame cancel(Type::cancel);
  cancel.task = 1;
  dispatcher.session.send(cancel);

  CHECK(dispatcher.resolved().number(Key::code) == 20);
  // SIGINT ends the process that stands for R; a real one would answer.
  CHECK(eventually([&] { return ::waitpid(agent.sleeper.pid, nullptr, WNOHANG) != 0; }));
}

TEST_CASE("a busy R behind a sound network is not suspect, and behind a silent one it is") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0\nreconnect_ms=11000\n");
  Proxy proxy(port_of(urls[0]));
  TestAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.greet();
  dispatcher.submit(1, "a");
  Frame task = agent.task();
  // Longer than the time after which silence is suspect: the agent answers for R.
  std::this_thread::sleep_for(9s);
  CHECK(state(dispatcher) == "busy");

  auto since = std::chrono::steady_clock::now();
  proxy.stall();

  CHECK(eventually([&] { return state(dispatcher) == "suspect"; }, 12s));
  CHECK(std::chrono::steady_clock::now() - since < 11s);
  TestAgent other(urls[1], dispatcher.credential(2));
  other.greet();
  Frame again = *other.r.receive(Type::task, 20s);
  CHECK(again.attempt == 2);
  // The first one thaws and answers: too late.
  agent.finish(task, "late");
  proxy.resume();
  std::this_thread::sleep_for(200ms);
  other.finish(again, "in time");
  CHECK(view_of(dispatcher.resolved().payload) == "in time");
  CHECK(dispatcher.session.is_silent(500ms));
}

TEST_CASE("the end of the session reaches the R behind an agent") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  TestAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();

  dispatcher.session.close();

  CHECK(agent.r.receive(Type::bye).has_value());
}

TEST_CASE("an R that says goodbye and lives on frees its slot") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  TestAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();

  agent.r.send(Frame(Type::bye).with_kind(ByeKind::end_all));
  agent.r.close();

  CHECK(eventually([&] { return dispatcher.status()[1][1] == "0"; }));
  CHECK(eventually([&] { return ::waitpid(agent.pid, nullptr, WNOHANG) == agent.pid; }));
  agent.pid = -1;
  // It was not started by the agent, and is not ended by it.
  CHECK(::kill(agent.sleeper.pid, 0) == 0);
}

TEST_CASE("a dispatcher that takes the call and says nothing is given up") {
  Proxy deaf(9);  // nobody is behind it
  deaf.stall();
  Credential some;
  some.token = std::move(*Secret::random());
  TestAgent agent("tcp://127.0.0.1:" + std::to_string(deaf.port()), encode(some));
  Frame frame = hello(Role::daemon, "");
  agent.r.send(std::move(frame.with(Key::instance, "an R")));

  std::optional<Frame> answer = agent.r.receive(20s);

  REQUIRE(answer);
  CHECK(answer->type == Type::refused);
  CHECK(answer->text(Key::message).find("no WELCOME came") != std::string::npos);
}

namespace {

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

  CHECK(again.stream.receive(Type::task)->attempt == 1);
  CHECK(again.stream.is_silent(300ms));
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
