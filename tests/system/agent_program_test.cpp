// The real agent between a real dispatcher and an R that the test plays.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/catch.h"
#include "tests/system/peer.h"
#include "tests/system/proxy.h"
#include "tests/system/siege.h"

using namespace tenkai;
using namespace tenkai::test;
using namespace std::chrono_literals;

namespace {

std::string large_payload() {
  std::string large(5 * 1024 * 1024 + 17, 'x');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 2654435761u >> 24);
  return large;
}

std::string state(TestDispatcher& dispatcher) { return dispatcher.status()[1][5]; }

}  // namespace

TEST_CASE("a task reaches an R behind an agent, and its value comes back") {
  std::string listen =
      GENERATE("tcp://127.0.0.1:0", "ws://127.0.0.1:0/base", "ws://127.0.0.1:0", "ws://[::1]:0/x");
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + listen + "\n");
  RealAgent agent(urls[0], dispatcher.credential(1));
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
  RealAgent agent(urls[0], dispatcher.credential(1));
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
  RealAgent second(urls[1], dispatcher.credential(2));
  second.greet();

  auto status = dispatcher.status();

  CHECK(status[1][1] == "0");
  CHECK(status[2][1] == "1");
  CHECK(status[3][1] == "0");
}

TEST_CASE("nobody comes in at a path that no slot has") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0/secret\n");
  RealAgent agent(with_port("ws://127.0.0.1:1/guess", port_of(urls[0])), dispatcher.credential(1));

  CHECK_THROWS_WITH(agent.greet(), saying("HTTP status 404"));
}

TEST_CASE("an agent that finds no dispatcher tells its R why") {
  RealAgent agent("tcp://127.0.0.1:9");

  CHECK_THROWS_WITH(agent.greet(), saying("6 | Connection refused: cannot connect to tcp://127.0.0.1:9"));
}

TEST_CASE("after a break the agent comes back and delivers what its R has done meanwhile") {
  std::string listen = "ws://127.0.0.1:0";
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=" + listen + "\n");
  Proxy proxy(port_of(urls[0]));
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));

  agent.greet();
  dispatcher.submit(1, "a");
  Frame task = agent.task();

  proxy.stall();
  std::string answer(1000, 'b');
  agent.finish(task, answer);
  REQUIRE(eventually([&] { return proxy.held() > answer.size(); }));
  proxy.cut();
  proxy.resume();

  CHECK(view_of(dispatcher.resolved().payload) == answer);
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
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.greet();

  proxy.stall();
  std::string expression(1000, 'a');
  dispatcher.submit(1, expression);
  REQUIRE(eventually([&] { return proxy.held() > expression.size(); }));
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
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
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
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
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
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
  agent.say_hello();

  CHECK(eventually([&] { return dispatcher.status()[1][1] == "1"; }, 60s));
  CHECK(proxy.connections() == 1);
}

TEST_CASE("an agent that is killed loses its task to another daemon") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0\nreconnect_ms=1000\n");
  RealAgent first(urls[0], dispatcher.credential(1));
  first.greet();
  dispatcher.submit(1, "a");
  first.task();
  RealAgent second(urls[1], dispatcher.credential(2));
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
  RealAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();
  dispatcher.submit(1, "a");
  agent.task();

  Frame cancel(Type::cancel);
  cancel.task = 1;
  dispatcher.session.send(cancel);

  CHECK(dispatcher.resolved().number(Key::code) == 20);
  // SIGINT ends the process that stands for R; a real one would answer.
  CHECK(eventually([&] { return ::waitpid(agent.r_pid, nullptr, WNOHANG) != 0; }));
}

TEST_CASE("a busy R behind a sound network is not suspect, and behind a silent one it is") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=2\nurl=ws://127.0.0.1:0\nreconnect_ms=11000\n");
  Proxy proxy(port_of(urls[0]));
  RealAgent agent(with_port(urls[0], proxy.port()), dispatcher.credential(1));
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
  RealAgent other(urls[1], dispatcher.credential(2));
  other.greet();
  Frame again = *other.r.receive(Type::task, 20s);
  CHECK(again.attempt == 2);
  // The first one thaws and answers: too late.
  agent.finish(task, "late");
  proxy.resume();
  CHECK(eventually([&] { return state(dispatcher) != "suspect"; }, 12s));
  other.finish(again, "in time");
  CHECK(view_of(dispatcher.resolved().payload) == "in time");
  CHECK(dispatcher.session.is_silent(500ms));
}

TEST_CASE("the end of the session reaches the R behind an agent") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  RealAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();

  dispatcher.session.close();

  CHECK(agent.r.receive(Type::bye).has_value());
}

TEST_CASE("an R that says goodbye and lives on frees its slot") {
  TestDispatcher dispatcher;
  auto urls = dispatcher.set_up("policy=queue\ndaemons=1\nurl=ws://127.0.0.1:0\n");
  RealAgent agent(urls[0], dispatcher.credential(1));
  agent.greet();

  agent.r.send(Frame(Type::bye).with_kind(ByeKind::end_all));
  agent.r.close();

  CHECK(eventually([&] { return dispatcher.status()[1][1] == "0"; }));
  CHECK(eventually([&] { return ::waitpid(agent.pid, nullptr, WNOHANG) == agent.pid; }));
  agent.pid = -1;
  // It was not started by the agent, and is not ended by it.
  CHECK(::kill(agent.r_pid, 0) == 0);
}

TEST_CASE("a dispatcher that takes the call and says nothing is given up") {
  Proxy deaf(9);  // nobody is behind it
  deaf.stall();
  Credential some;
  some.token = std::move(*Secret::random());
  RealAgent agent("tcp://127.0.0.1:" + std::to_string(deaf.port()), encode(some));
  Frame frame = hello(Role::daemon, "");
  agent.r.send(std::move(frame.with(Key::instance, "an R")));

  std::optional<Frame> answer = agent.r.receive(20s);

  REQUIRE(answer);
  CHECK(answer->type == Type::refused);
  CHECK(answer->text(Key::message).find("no WELCOME came") != std::string::npos);
}
