// Decides what an agent does: when it dials, what it tells the dispatcher and its R
// processes, when it starts and ends these, and when it ends itself.
//
// It knows nothing of sockets, processes or clocks: each on_...() takes one thing that
// happened, with the time, and returns what must be done because of it, in that order.
// Frames pass through it by pointer; it reads their heads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/agent_action.h"
#include "agent/dispatcher_link.h"
#include "agent/rank.h"
#include "base/autoexit.h"
#include "base/result.h"

namespace tenkai {

struct AgentRules {
  // What becomes of the daemons when the dispatcher is gone.
  Autoexit autoexit = Autoexit::now;
  // What proves to the dispatcher that we belong to it; `reusable`: any number of times.
  enum class Proof { none, once, reusable } proof = Proof::none;

  std::vector<std::string> urls;  // of each daemon; the first is where we dial
  bool over_network = false;
  bool in_job = false;     // a batch system ends us by a signal, and knows why
  bool task_logs = false;  // what each task writes is kept apart
  std::uint64_t seed = 1;  // of the pauses between calls
};

class AgentCore {
 public:
  using Time = DispatcherLink::Time;
  // An R that runs already.
  struct Adopted {
    pid_t pid;
    bool is_child;
    bool is_watched;  // we are told when it ends
  };

  AgentCore(AgentRules rules, Time now);

  Actions on_start(std::optional<Adopted> adopted);

  // The dispatcher. After a HangUp, on_disconnected() tells the end as well.
  Actions on_dial_failed(Time now, const Error& why);
  Actions on_connected(Time now);
  Actions on_proven(Time now);
  Actions on_not_proven(Time now, const std::string& why);
  Actions on_frame(Time now, Frame&& frame);
  Actions on_disconnected(Time now, const Error& why);

  // R. Its end and that of its stream come in either order.
  Actions on_started(Time now, std::uint32_t rank, pid_t pid);
  Actions on_not_started(Time now, std::uint32_t rank, const std::string& why);
  Actions on_r_frame(Time now, std::uint32_t rank, Frame&& frame);
  Actions on_r_stream_ended(Time now, std::uint32_t rank);
  Actions on_r_ended(Time now, std::uint32_t rank, const REnd& end);

  // What was asked for cannot be done on this machine.
  Actions on_failed(Time now, const std::string& why);
  // A batch system says that our job ends soon.
  Actions on_notice(Time now);
  Actions on_signal(Time now, int number);
  Actions on_timer(Time now);

  std::optional<Time> next_timer() const;
  int exit_code() const { return exit_code_; }

 private:
  enum class Life {
    serving,
    draining,     // our job ends soon: no R is started again
    ending,       // no R is started at all, and those that are there end
    handed_back,  // as ending, and what they run is given to others
    over,
  };
  // What next_timer() is for: the link, our own end, or the rank of that number.
  struct Alarm {
    Time at;
    std::size_t whose;
  };

  bool is_ending() const { return life_ >= Life::ending; }
  bool stays() const { return rules_.autoexit == Autoexit::stay; }
  template <class What>
  void act(What&& what) {
    actions_.emplace_back(std::forward<What>(what));
  }
  Actions take() { return std::exchange(actions_, {}); }
  void set_alarm(std::size_t whose, Time at);
  void clear_alarm(std::size_t whose);
  bool has_alarm(std::size_t whose) const;
  void on_alarm(Time now, std::size_t whose);

  // the dispatcher
  void tell(Frame frame);
  void pass(const Rank& rank, Frame frame);  // where its R hears it
  void on_link_alarm();
  void on_welcome(const Frame& frame);
  void on_rank_frame(Time now, Frame&& frame);
  void on_refused(Rank& rank, const Frame& frame);
  void on_turned_away(Time now, const std::string& why);
  void dial_again(Time now, const Error& why);
  void hang_up(const std::string& why, Code code = Code::none);
  void give_up(Time now, const std::string& why);
  void complain(const std::string& why);

  // the daemons
  void start_awaited();
  void start(Rank& rank);
  void on_r_hello(Time now, Rank& rank, const Frame& frame);
  void on_r_goodbye(Rank& rank);
  void on_said(const Rank& rank, Frame&& frame);
  void on_finished(Rank& rank, Frame&& frame);
  void on_task(Rank& rank, Frame&& frame);
  void on_cancel(Rank& rank, const Frame& frame);
  void join(Rank& rank);
  void settle(Time now, Rank& rank);
  void restart(Time now, Rank& rank, const REnd& end, bool was_up);
  void leave_adopted(Time now, Rank& rank);
  void end_deaf(const Rank& rank);
  bool may_be_end_of_job(const REnd& end) const;
  void report_left(Rank& rank, const REnd& end);
  void leave_down(Time now, Rank& rank, const REnd& end, const std::string& why);

  // the end
  void on_goodbye(Time now, bool stop);
  void end(Time now, Life how, bool interrupt);
  void insist();
  void stop_if_done();

  AgentRules rules_;
  Life life_ = Life::serving;
  DispatcherLink link_;
  bool may_resume_ = false;  // the dispatcher has said how we may come back after a break
  std::vector<Rank> ranks_;
  std::optional<Adopted> adopted_;
  std::vector<Alarm> alarms_;
  Actions actions_;  // of the event at hand
  int exit_code_ = 0;
};

}  // namespace tenkai
