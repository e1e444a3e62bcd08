#include "tests/agent/agent_simulator.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;
using Kind = AgentEvent::Kind;

namespace {

// More than the usual lives: TENKAI_SIMULATOR_SEEDS=100000.
std::uint64_t seeds() {
  const char* asked = std::getenv("TENKAI_SIMULATOR_SEEDS");
  return asked == nullptr ? 2000 : std::strtoull(asked, nullptr, 10);
}

// --- cores that are broken, to see whether it would be noticed ---

template <class What>
bool is(const Action& action, Type type) {
  const What* what = std::get_if<What>(&action);
  return what != nullptr && what->frame.type == type;
}

// Leaves out what it should ask for.
template <class Unwanted>
Play without(Unwanted unwanted) {
  return [unwanted](AgentCore& core, const AgentEvent& event) {
    Actions actions = apply(core, event);
    std::erase_if(actions, [&](const Action& action) { return unwanted(event, action); });
    return actions;
  };
}

// Takes one kind of event for another.
Play changing(Kind kind, void (*change)(AgentEvent&)) {
  return [kind, change](AgentCore& core, AgentEvent event) {
    if (event.kind == kind) change(event);
    return apply(core, event);
  };
}

// Does not hear of one kind of event.
Play deaf_to(Kind kind) {
  return [kind](AgentCore& core, const AgentEvent& event) {
    return event.kind == kind ? Actions{} : apply(core, event);
  };
}

// Tells an R its task twice.
Actions passes_twice(AgentCore& core, const AgentEvent& event) {
  Actions actions = apply(core, event);
  if (!actions.empty() && is<action::Pass>(actions.back(), Type::task))
    actions.push_back(Action(actions.back()));
  return actions;
}

// Takes what it holds for delivered where the connection ends.
Actions forgets_at_a_break(AgentCore& core, const AgentEvent& event) {
  AgentCore asked = core;
  bool is_in = !asked.on_frame(event.now, Frame(Type::ping)).empty();
  for (std::uint32_t rank = 0; event.kind == Kind::disconnected && is_in && rank < 4; ++rank) {
    Frame ack(Type::ack);
    ack.rank = rank;
    core.on_frame(event.now, std::move(ack));
  }
  return apply(core, event);
}

// What is looked for, when one of a few lives ends with that complaint; else one of
// the complaints there were.
std::string caught(const Play& broken, const std::string& what) {
  std::string complaint = "nothing";
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    std::string told = AgentSimulation(seed, broken).run();
    if (told.find(what) != std::string::npos) return what;
    if (!told.empty()) complaint = told;
  }
  return complaint;
}

#define CHECK_CAUGHT(broken, what) CHECK(caught(broken, what) == what)

}  // namespace

TEST_CASE("random lives of an agent keep every promise") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    std::string complaint = AgentSimulation(seed, apply).run();
    if (!complaint.empty()) FAIL(complaint);
  }
  SUCCEED("every life ended well");
}

TEST_CASE("the simulator of agents makes the same life from the same seed") {
  CHECK(AgentSimulation(7, passes_twice).run() == AgentSimulation(7, passes_twice).run());
}

TEST_CASE("the simulator notices what an agent does not tell") {
  auto is_answer = [](const AgentEvent& event, const Action& action) {
    return event.kind == Kind::frame && is<action::Tell>(action, Type::finished);
  };
  auto is_end = [](const AgentEvent&, const Action& action) { return is<action::Tell>(action, Type::left); };
  auto is_pong = [](const AgentEvent&, const Action& action) { return is<action::Tell>(action, Type::pong); };

  CHECK_CAUGHT(without(is_answer), "nothing is left to happen");
  CHECK_CAUGHT(without(is_end), "nothing is left to happen");
  CHECK_CAUGHT(without(is_pong), "was not answered");
}

TEST_CASE("the simulator notices an answer that is dropped too early") {
  CHECK_CAUGHT(forgets_at_a_break, "an answer was lost with the connection");
}

TEST_CASE("the simulator notices a task that is run twice, or by the wrong R") {
  auto no_names = [](AgentEvent& event) {
    if (event.frame.type != Type::welcome) return;
    std::erase_if(event.frame.attributes, [](const Attribute& each) { return each.key == Key::instance; });
  };

  CHECK_CAUGHT(passes_twice, "an R that is at work was given another task");
  CHECK_CAUGHT(changing(Kind::frame, no_names), "to another R");
}

TEST_CASE("the simulator notices daemons that are started against the rules") {
  auto is_start = [](const AgentEvent& event, const Action& action) {
    return event.kind == Kind::timer && std::holds_alternative<action::Start>(action);
  };
  auto long_ago = [](AgentEvent& event) { event.now -= 1min; };

  CHECK_CAUGHT(without(is_start), "a daemon was not started again");
  CHECK_CAUGHT(changing(Kind::r_ended, long_ago), "a daemon was started again too soon");
  CHECK_CAUGHT(deaf_to(Kind::notice), "in a job that ends soon");
  CHECK_CAUGHT(deaf_to(Kind::signal), "by an agent that ends");
}

TEST_CASE("the simulator notices an agent that gives up too early, or never") {
  auto later = [](AgentEvent& event) { event.now += 30s; };
  auto is_dial = [](const AgentEvent& event, const Action& action) {
    return event.kind != Kind::start && std::holds_alternative<action::Dial>(action);
  };
  auto earlier = [](AgentEvent& event) { event.why.code = Code::timed_out; };

  CHECK_CAUGHT(changing(Kind::dial_failed, later), "given up too early");
  CHECK_CAUGHT(changing(Kind::dial_failed, earlier), "that nobody wants goes on");
  CHECK_CAUGHT(without(is_dial), "nobody was called again");
}

TEST_CASE("the simulator notices an agent that does not end, or leaves an R behind") {
  auto is_kill = [](const AgentEvent&, const Action& action) {
    return std::holds_alternative<action::Kill>(action);
  };
  auto is_stop = [](const AgentEvent&, const Action& action) {
    return std::holds_alternative<action::Stop>(action);
  };
  auto stops_at_once = [](AgentCore& core, const AgentEvent& event) {
    Actions actions = apply(core, event);
    if (event.kind == Kind::signal) actions.emplace_back(action::Stop{});
    return actions;
  };

  CHECK_CAUGHT(without(is_kill), "nothing is left to happen");
  CHECK_CAUGHT(without(is_stop), "and it goes on");
  CHECK_CAUGHT(stops_at_once, "ended before its daemons");
}
