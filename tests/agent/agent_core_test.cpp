#include "agent/agent_core.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;

namespace {

const AgentCore::Time noon{12h};

// What was asked for, as one reads it: "tell JOIN 7", with the task.
std::string spelled(const Action& action) {
  auto of = [](const Frame& frame) {
    constexpr const char* names[] = {"",       "HELLO",      "WELCOME", "REFUSED",  "SETUP",    "READY",
                                     "SUBMIT", "EVERYWHERE", "CANCEL",  "RESOLVED", "REQUEST",  "REPLY",
                                     "NOTE",   "JOIN",       "LEFT",    "TASK",     "FINISHED", "ACK",
                                     "PING",   "PONG",       "BYE"};
    std::string name = frame.type == Type::map    ? "MAP"
                       : frame.type == Type::said ? "SAID"
                                                  : names[static_cast<int>(frame.type)];
    return frame.task == 0 ? name : name + " " + std::to_string(frame.task);
  };
  if (const auto* tell = std::get_if<action::Tell>(&action)) return "tell " + of(tell->frame);
  if (const auto* pass = std::get_if<action::Pass>(&action)) return "pass " + of(pass->frame);
  if (std::holds_alternative<action::Start>(action)) return "start";
  if (std::holds_alternative<action::Interrupt>(action)) return "interrupt";
  if (std::holds_alternative<action::Kill>(action)) return "kill";
  if (std::holds_alternative<action::Stop>(action)) return "stop";
  return "";
}

using Spelled = std::vector<std::string>;

Spelled spelled(const Actions& actions) {
  Spelled all;
  for (const Action& action : actions) {
    if (std::string text = spelled(action); !text.empty()) all.push_back(text);
  }
  return all;
}

Frame about(Type type, std::uint64_t task = 0) {
  Frame frame(type);
  frame.session = task == 0 ? 0 : 1;
  frame.task = task;
  frame.attempt = task == 0 ? 0 : 1;
  return frame;
}

AgentRules on_one_machine() {
  AgentRules rules;
  rules.urls = {"abstract://dispatcher"};
  return rules;
}

// An agent with one daemon, whose dispatcher is on the same machine.
struct TestCore : AgentCore {
  explicit TestCore(const AgentRules& rules = on_one_machine()) : AgentCore(rules, noon) { on_start({}); }

  Spelled hear(const Frame& frame) { return spelled(on_frame(noon, Frame(frame))); }
  Spelled hear_r(const Frame& frame) { return spelled(on_r_frame(noon, 0, Frame(frame))); }
  Spelled connect() {
    on_connected(noon);
    return hear(Frame(Type::welcome));
  }
  void lose_connection() {
    on_disconnected(noon, {"reset", Code::none});
    on_timer(*next_timer());
  }
  Spelled greet(const std::string& instance) {
    return hear_r(Frame(Type::hello).with(Key::version, program_version).with(Key::instance, instance));
  }
  // It has an R that the dispatcher has let in.
  void begin() {
    connect();
    on_started(noon, 0, 100);
    greet("first");
    welcome("first");
  }
  Spelled welcome(const std::string& instance) {
    return hear(Frame(Type::welcome).with(Key::instance, instance));
  }
  // R dies, and the next one is there and has not greeted.
  Spelled replace_r() {
    on_r_stream_ended(noon, 0);
    REnd end;
    end.how.signal = 11;
    Spelled told = spelled(on_r_ended(noon, 0, end));
    on_timer(noon);
    on_started(noon, 0, 101);
    return told;
  }
};

}  // namespace

TEST_CASE("a task for an R that has died does not reach the next one") {
  TestCore core;
  core.begin();
  CHECK(core.replace_r() == Spelled{"tell LEFT"});

  CHECK(core.hear(about(Type::task, 7)).empty());
  core.greet("second");
  CHECK(core.hear(about(Type::task, 8)).empty());

  CHECK(core.welcome("first").empty());
  CHECK(core.welcome("second") == Spelled{"pass WELCOME"});
  CHECK(core.hear(about(Type::task, 9)) == Spelled{"pass TASK 9"});
}

TEST_CASE("an R is not killed for the one before it") {
  TestCore core;
  core.begin();
  core.replace_r();

  CHECK(core.hear(about(Type::cancel).with_kind(CancelKind::kill)).empty());
}

TEST_CASE("a task that waits behind another is given back where the connection breaks") {
  TestCore core;
  core.begin();
  core.hear(about(Type::task, 7));
  core.hear(about(Type::task, 8));

  core.lose_connection();
  CHECK(core.connect() == Spelled{"tell JOIN 7"});

  CHECK(core.hear_r(about(Type::finished, 7)) == Spelled{"tell FINISHED 7"});
}

TEST_CASE("what a task says is told while it runs and the dispatcher is there") {
  TestCore core;
  core.begin();
  core.hear(about(Type::task, 7));

  CHECK(core.hear_r(about(Type::said, 7)) == Spelled{"tell SAID 7"});
  CHECK(core.hear_r(about(Type::said, 8)).empty());
  core.lose_connection();
  CHECK(core.hear_r(about(Type::said, 7)).empty());
  core.connect();
  core.hear_r(about(Type::finished, 7));
  CHECK(core.hear_r(about(Type::said, 7)).empty());
}

TEST_CASE("an R that is ready when its agent ends does not join any more") {
  TestCore core;
  core.connect();
  core.on_started(noon, 0, 100);

  CHECK(spelled(core.on_signal(noon, 15)) == Spelled{"pass BYE"});

  CHECK(core.greet("late").empty());
}

TEST_CASE("the answer of an R that has died since is told before its end") {
  TestCore core;
  core.begin();
  core.hear(about(Type::task, 7));
  core.on_disconnected(noon, {"reset", Code::none});
  core.hear_r(about(Type::finished, 7));
  core.replace_r();
  core.greet("second");
  core.on_timer(*core.next_timer());

  CHECK(core.connect() == Spelled{"tell FINISHED 7", "tell LEFT", "tell JOIN"});

  core.welcome("second");
  core.lose_connection();
  CHECK(core.connect() == Spelled{"tell JOIN"});
}

TEST_CASE("the end of each R that the dispatcher may know is told until it knows the next one") {
  TestCore core;
  core.begin();
  core.on_disconnected(noon, {"reset", Code::none});
  core.replace_r();
  core.greet("nobody knows it");
  core.replace_r();
  core.greet("second");
  core.on_timer(*core.next_timer());

  CHECK(core.connect() == Spelled{"tell LEFT", "tell JOIN"});

  core.on_disconnected(noon, {"reset", Code::none});
  core.replace_r();
  core.greet("third");
  core.on_timer(*core.next_timer());

  CHECK(core.connect() == Spelled{"tell LEFT", "tell LEFT", "tell JOIN"});

  core.welcome("third");
  core.lose_connection();
  CHECK(core.connect() == Spelled{"tell JOIN"});
}

TEST_CASE("an R that has lost its stream is ended, because it can hear of no task") {
  TestCore core;
  core.begin();
  core.hear(about(Type::task, 7));

  core.on_r_stream_ended(noon, 0);
  REQUIRE(core.next_timer());
  CHECK(spelled(core.on_timer(*core.next_timer())) == Spelled{"kill"});

  REnd end;
  end.how.signal = 9;
  CHECK(spelled(core.on_r_ended(noon, 0, end)) == Spelled{"tell LEFT"});
}

TEST_CASE("an R that has said goodbye may take its time to end") {
  TestCore core;
  core.begin();
  core.hear_r(Frame(Type::bye));

  core.on_r_stream_ended(noon, 0);

  CHECK(!core.next_timer());
}

TEST_CASE("an agent that waits for what its daemons finish ends at a signal") {
  AgentRules rules = on_one_machine();
  rules.autoexit = Autoexit::finish;
  TestCore core(rules);
  core.begin();
  core.hear(about(Type::task, 7));
  CHECK(core.hear(Frame(Type::bye)) == Spelled{"pass BYE"});
  CHECK(!core.next_timer());

  CHECK(spelled(core.on_signal(noon, 15)) == Spelled{"pass BYE", "interrupt"});
  REQUIRE(core.next_timer());
  CHECK(spelled(core.on_timer(*core.next_timer())) == Spelled{"kill"});
}

TEST_CASE("who has said no long ago is not who says no now") {
  AgentRules rules;
  rules.urls = {"tcp://127.0.0.1:5555"};
  rules.over_network = true;
  rules.proof = AgentRules::Proof::once;
  rules.autoexit = Autoexit::stay;
  TestCore core(rules);
  auto is_turned_away = [&core](AgentCore::Time now) {
    core.on_connected(now);
    Spelled told = spelled(core.on_frame(now, Frame(Type::refused)));
    core.on_disconnected(now, {"it hung up", Code::none});
    return told;
  };
  core.on_connected(noon);
  core.on_proven(noon);
  core.hear(Frame(Type::welcome));
  core.on_started(noon, 0, 100);
  core.on_disconnected(noon, {"reset", Code::none});
  CHECK(is_turned_away(noon + 1s).empty());

  core.on_dial_failed(noon + 2s, {"nobody listens there", Code::refused});

  CHECK(is_turned_away(noon + 1h).empty());
  CHECK(is_turned_away(noon + 1h + 6s) == Spelled{"pass REFUSED", "pass BYE"});
}

TEST_CASE("what elements share reaches R before them, also where R is busy, and no R before it is let in") {
  TestCore core;
  core.connect();
  core.on_started(noon, 0, 100);
  core.greet("first");
  CHECK(core.hear(about(Type::map, 5)).empty());

  core.welcome("first");
  core.hear(about(Type::task, 4));
  CHECK(core.hear(about(Type::map, 5)) == Spelled{"pass MAP 5"});
  CHECK(core.hear(about(Type::task, 5)).empty());
  CHECK(core.hear_r(about(Type::finished, 4)) == Spelled{"tell FINISHED 4", "pass TASK 5"});
}

TEST_CASE("a daemon that cannot be started again does not take the others with it") {
  AgentRules rules = on_one_machine();
  rules.urls.push_back("abstract://dispatcher");
  TestCore core(rules);
  core.begin();
  core.on_started(noon, 1, 200);
  REnd end;
  end.how.signal = 9;
  core.on_r_stream_ended(noon, 1);
  core.on_r_ended(noon, 1, end);
  CHECK(spelled(core.on_timer(noon)) == Spelled{"start"});

  CHECK(spelled(core.on_not_started(noon, 1, "no memory")).empty());
  REQUIRE(core.next_timer());
  CHECK(spelled(core.on_timer(*core.next_timer())) == Spelled{"start"});

  CHECK(spelled(core.on_not_started(noon + 1s, 1, "no memory")) == Spelled{"tell LEFT"});
  CHECK(core.hear(about(Type::task, 7)) == Spelled{"pass TASK 7"});
}

TEST_CASE("an agent that can start no daemon gives up") {
  TestCore core;
  core.connect();

  core.on_not_started(noon, 0, "no R");

  CHECK(core.exit_code() == 1);
}
