// Drives the table of peers through a random life and watches it.
//
// Around it are the real Dispatcher, Grants and cores of agents; imagined are the connections,
// which delay, break and return, the R processes, which greet, answer and die, a batch system,
// which stops and ends jobs, and a user, who submits, cancels and calls saisei(). When the storm is
// over every task must resolve, and when everybody has gone nothing of them may be left. The same
// seed always makes the same life.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/agent_core.h"
#include "scheduler/dispatcher.h"
#include "scheduler/grants.h"
#include "scheduler/peer_table.h"

namespace tenkai::tests {

// How a table is broken, to see whether it would be noticed.
struct PeerFlaw {
  // May change a frame, about a task whose last attempt is this one; false: it is lost.
  std::function<bool(Frame&, std::uint32_t latest)> hears = {};
  std::function<void(PeerActions&)> does = {};
  bool hears_of_ends = true;  // of connections
  bool forgets_slots = true;
};

class PeerSimulation : private PeerQuestions {
 public:
  explicit PeerSimulation(std::uint64_t seed, PeerFlaw flaw = {});

  // Empty when the table lived this life without a fault, else what it did wrong, and the way
  // there where `tells`.
  std::string run(bool tells = false);

 private:
  enum class Phase { storm, calm, farewell };
  struct R {
    pid_t pid = 0;
    std::string instance;
    bool has_greeted = false;
    bool leaves = false;     // it has been told to go
    bool has_died = false;   // ... which whoever waits for it may not know yet
    bool is_there = true;    // as far as that one knows
    bool has_stream = true;  // the same
    bool cancelled = false;  // a CANCEL of its task has come
    std::optional<Frame> task;
    std::deque<Frame> says;
    REnd end;
  };
  // An agent, with its core.
  struct Agent {
    AgentRules rules;
    GrantId grant = 0;  // 0: on this machine
    CredentialId credential{};
    std::uint32_t rank = 0;
    std::vector<std::size_t> slots;
    std::optional<CredentialId> resumption;
    bool resumes = false;
    std::string instance;
    ConnectionId link = 0;
    bool dials = false;
    bool is_frozen = false;
    bool is_over = false;
    std::optional<Time> job_end;
    std::unique_ptr<AgentCore> core;
    std::vector<R> rs;
  };
  // A daemon of this machine, which we have started.
  struct Local {
    R r;
    std::size_t slot = 0;
    ConnectionId link = 0;
    bool has_joined = false;
    bool is_placed = true;  // until LocalLeft
    bool is_told = false;   // the table knows that its process has ended
  };
  struct Link {
    Agent* agent = nullptr;
    Local* local = nullptr;
    std::deque<Frame> up;    // to the table
    std::deque<Frame> down;  // from there
    bool is_known = false;   // the table has let it in
    bool is_let_go = false;  // by the table
    bool is_told = false;    // the table has heard of its end
    bool up_ends = false;
    bool down_ends = false;
    bool up_sleeps = false;  // its end is not noticed yet
    bool down_sleeps = false;
    bool is_broken = false;
    bool is_left = false;                                       // by the other side
    std::set<std::uint32_t> ranks;                              // that have joined
    std::set<std::pair<std::uint32_t, std::uint64_t>> stopped;  // ranks, and which task; 0: any
  };
  struct TaskSeen {
    std::uint32_t attempt = 0;
    bool is_resolved = false;
  };

  bool is_open(ConnectionId connection) const override;
  std::optional<std::size_t> slot_of(const std::string& url, std::uint16_t port) const override;
  std::optional<std::size_t> slot_of(pid_t pid) const override;
  Size size_of(GrantId, std::size_t) const override { return {}; }
  std::string place_of(GrantId, std::size_t) const override { return {}; }

  std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  void complain(const std::string& what);
  void note(const std::string& text);
  CredentialId fresh_id();

  // what happens
  void step();
  void step_of_storm();
  void storm_over(Agent& agent);
  void calm_down();
  void say_farewell();
  bool move_on();
  bool move(ConnectionId id, Link& link);
  bool move(Agent& agent);
  bool move(Agent& agent, std::uint32_t rank);
  bool move(Local& local);
  std::optional<Time> next_timer() const;
  void pass_time(std::chrono::milliseconds time);
  void start_agent(std::optional<std::size_t> again);
  void start_local(std::size_t slot);
  void submit();
  void regenerate(std::size_t slot);
  void end(Agent& agent, bool is_silent);
  void cut(Link& link);
  void die(R& r, std::optional<int> signal);
  void finish(R& r, std::deque<Frame>& says, bool failed);

  // connections
  void answer_dial(Agent& agent);
  void go_up(ConnectionId id, Link& link, Frame frame);
  void greet(ConnectionId id, Link& link, const Frame& frame);
  void go_down(Link& link, Frame frame);
  void hear(R& r, const Frame& frame);
  void say_down(ConnectionId to, Frame frame);
  void let_go(ConnectionId to);

  // what the cores of agents ask for
  void carry_out(Agent& agent, Actions actions);
  void take(Agent& agent, action::Dial&) { agent.dials = true; }
  void take(Agent& agent, action::Greet& greet);
  void take(Agent& agent, action::Prove& prove);
  void take(Agent& agent, action::Tell& tell);
  void take(Agent& agent, action::HangUp&);
  void take(Agent& agent, action::Start& start);
  void take(Agent& agent, action::Pass& pass) { hear(agent.rs[pass.rank], pass.frame); }
  void take(Agent& agent, action::Release& release) { agent.rs[release.rank].has_stream = false; }
  void take(Agent& agent, action::Interrupt& interrupt);
  void take(Agent& agent, action::Kill& kill);
  void take(Agent& agent, action::Stop&) { end(agent, false); }
  template <class Other>
  void take(Agent&, Other&) {}

  // what the table asks for
  void act();
  void take(peer_action::Welcome& welcome);
  void take(peer_action::Refuse& refuse);
  void take(peer_action::Say& say);
  void take(peer_action::Drop& drop);
  void take(peer_action::Close& close);
  void take(peer_action::Signal& signal);
  void take(peer_action::LocalJoined& joined);
  void take(peer_action::LocalLeft& left);
  void take(peer_action::Joined& joined);
  void take(peer_action::Left& left);
  void take(Resolve& resolve);
  template <class Other>
  void take(Other&) {}
  void check_sent(const Frame& task);
  void check_left_behind();
  Local* local_of(pid_t pid);

  const std::uint64_t seed_;
  std::mt19937_64 random_;
  PeerFlaw flaw_;
  bool tells_ = false;
  bool one_url_;
  std::vector<std::string> urls_;
  Time now_;
  Dispatcher dispatcher_;
  Grants grants_;
  PeerTable table_;
  PeerActions batch_;
  Phase phase_ = Phase::storm;
  std::map<ConnectionId, Link> links_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::vector<std::unique_ptr<Local>> locals_;
  std::map<std::uint64_t, TaskSeen> tasks_;
  std::uint64_t sent_ = 0;  // tasks
  std::map<std::pair<GrantId, std::size_t>, int> joined_;
  std::vector<CredentialId> ways_back_;
  ConnectionId last_link_ = 0;
  std::uint64_t last_id_ = 0;
  pid_t last_pid_ = 1000;
  bool is_over_ = false;
  bool has_closed_ = false;  // the session has ended before its peers
  std::deque<std::string> log_;
  std::string complaint_;
};

}  // namespace tenkai::tests
