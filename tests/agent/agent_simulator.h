// Drives the core of an agent through a random life and watches it.
//
// Around it are a dispatcher and R processes as the test imagines them: connections break
// and return, strangers take the call, R processes greet, answer, die and say goodbye,
// cancellations cross results, the job ends. What the core asks for is carried out at
// once, frames are on their way for as long as chance wants. At the end the storm is over:
// every task must then be answered, and the agent end when it is told to. The same seed
// always makes the same life.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/agent_core.h"
#include "tests/agent/played_dispatcher.h"

namespace tenkai::tests {

using Time = AgentCore::Time;

// One call of a core. Which members mean something depends on `kind`.
struct AgentEvent {
  enum class Kind {
    start,
    dial_failed,
    connected,
    proven,
    not_proven,
    frame,
    disconnected,
    started,
    failed,
    r_frame,
    r_stream_ended,
    r_ended,
    notice,
    signal,
    timer,
  };
  Kind kind = Kind::timer;
  Time now;
  std::uint32_t rank = 0;
  int number = 0;  // of a signal or a process
  Frame frame;
  Error why;
  REnd end;
  std::optional<AgentCore::Adopted> adopted;
};

inline constexpr std::chrono::milliseconds grace{20000};  // of the dispatcher

std::string describe(const AgentEvent& event);
std::string describe(const Action& action);
Actions apply(AgentCore& core, const AgentEvent& event);
// How an event reaches the core: apply(), or what a broken one makes of it.
using Play = std::function<Actions(AgentCore&, const AgentEvent&)>;

class AgentSimulation {
 public:
  AgentSimulation(std::uint64_t seed, Play play);

  // Empty when the agent lived this life without a fault, else what it did wrong, and the
  // way there.
  std::string run();

 private:
  enum class Phase { storm, calm, farewell };
  // An R process: what it does, what it has said that has not been read yet, and its end.
  struct R {
    pid_t pid = 0;
    bool is_there = false;    // the process, as the agent knows
    bool has_died = false;    // ... which may not know it yet
    bool has_stream = false;  // as the agent knows
    bool has_closed = false;
    bool has_greeted = false;
    bool was_welcomed = false;
    bool is_told_to_go = false;
    std::string instance;
    std::optional<Frame> task;
    std::deque<Frame> says;
    REnd end;
  };
  // What the agent knows of a rank, and must do because of it.
  struct Duty {
    bool is_up = false;        // its R has greeted
    bool is_in = false;        // ... and the dispatcher has let it in
    bool is_unfit = false;     // its R is of another version
    bool is_for_good = false;  // no other R may be started
    bool is_settled = false;   // the R that was here has ended
    bool was_started = false;
    bool has_worked = false;
    std::size_t starts = 0;
    int failed_starts = 0;
    int idle_ends = 0;
    Time up_since;
    std::optional<Time> settles_at;         // where a signal may be on its way to the agent, too
    std::optional<Time> leaves_at;          // an adopted R that goes on without its stream
    std::optional<Time> start_at;           // the next R
    std::optional<Rank::Attempt> arrived;   // a task that may be begun
    std::optional<Rank::Attempt> answered;  // what has not arrived at the dispatcher, for all we know
    std::optional<Rank::Attempt> owed;      // the same, of an R that has ended
    std::string owed_by;
  };
  struct Wire {
    bool is_impostor = false;
    bool is_welcomed = false;  // as the agent knows
    bool is_hung_up = false;   // by the agent
    bool has_ended = false;    // which it does not know yet
    bool resumes = false;
    std::vector<Rank::Attempt> answers;  // that the agent has told
    std::deque<Frame> up;
    std::deque<Frame> down;
  };

  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  AgentEvent event(AgentEvent::Kind kind, std::uint32_t rank = 0);
  void complain(const std::string& what);
  void happen(AgentEvent event);
  void expect(const AgentEvent& event);
  void pass_time(std::chrono::milliseconds time);
  void step();
  void step_of_storm();
  bool move_on();
  bool move_wire();
  bool move_r(std::uint32_t rank);

  void answer_dial();
  void deliver_down();
  void deliver_up();
  void serve(const Frame& frame);
  void end_wire();
  void r_hears(std::uint32_t rank, const Frame& frame);
  bool r_acts(std::uint32_t rank);
  void finish(R& r, bool failed);
  void r_dies(R& r, std::optional<int> signal, int exit_code, const std::string& log = "");
  void expect_frame(const Frame& frame);
  void expect_held(const Frame& join);
  void expect_answered(const Frame& left);
  void settled(std::uint32_t rank);
  void check_lost(const AgentEvent& event, const Actions& actions);
  R* process(pid_t pid);

  void take(const action::Dial&);
  void take(const action::Greet& greet);
  void take(const action::Prove& prove);
  void take(const action::Tell& tell);
  void take(const action::HangUp& hang_up);
  void take(const action::Start& start);
  void take(const action::Pass& pass);
  void take(const action::Release& release);
  void take(const action::Interrupt& interrupt);
  void take(const action::Kill& kill);
  void take(const action::Forget& forget);
  void take(const action::BeginTaskLog&) {}
  void take(const action::EndTaskLog&) {}
  void take(const action::Warn&) {}
  void take(const action::Complain&) {}
  void take(const action::Stop&);
  void check_time();

  std::uint64_t seed_;
  std::mt19937_64 random_;
  Play play_;
  AgentRules rules_;
  std::optional<AgentCore::Adopted> adopted_;
  Time born_;
  Time now_;
  AgentCore core_;
  Phase phase_ = Phase::storm;
  PlayedDispatcher dispatcher_{1};
  std::vector<R> rs_;
  std::vector<Duty> duties_;
  std::optional<Wire> wire_;
  bool is_dialled_ = false;
  std::optional<Time> dial_until_;
  std::optional<Time> cut_off_since_;
  bool was_welcomed_ = false;
  bool is_draining_ = false;
  bool must_end_ = false;  // no R may be started, and nobody be called
  bool has_stopped_ = false;
  bool is_asked_to_end_ = false;  // in vain so far
  pid_t last_pid_ = 1000;
  std::deque<std::string> log_;
  std::string complaint_;
};

}  // namespace tenkai::tests
