// Decides who is a peer of the dispatcher: the daemons and agents that are connected, what they
// say, and what the dispatcher has them told.
//
// Turns frames into events for the dispatcher and what the dispatcher decides into frames. A
// daemon is one R; a peer is one connection, behind which an agent may have many of them (ranks).
// An agent whose connection breaks is kept for a while: it comes back with the same R processes
// and goes on.
//
// It knows nothing of sockets, processes or clocks: each event comes with the time, connections
// are numbers, and what must be done because of it is what take() gives, in that order.
#pragma once

#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "process/r_processes.h"
#include "scheduler/dispatcher.h"
#include "scheduler/grants.h"
#include "scheduler/liveness.h"
#include "scheduler/peer_action.h"

namespace tenkai {

// What a table has to ask, because only the world knows it.
class PeerQuestions {
 public:
  virtual ~PeerQuestions() = default;
  virtual bool is_open(ConnectionId connection) const = 0;
  // As Doors::slot_of() and LocalDaemons::slot_of().
  virtual std::optional<std::size_t> slot_of(const std::string& url, std::uint16_t port) const = 0;
  virtual std::optional<std::size_t> slot_of(pid_t pid) const = 0;
  // As the functions of LauncherInterface.
  virtual Size size_of(GrantId grant, std::size_t slot) const = 0;
  virtual std::string place_of(GrantId grant, std::size_t slot) const = 0;
};

// Who is at the other end of a connection.
struct Caller {
  ConnectionId connection = 0;
  std::string address;       // for people
  std::optional<pid_t> pid;  // of this machine
  bool over_network = false;
  std::uint16_t port = 0;  // ours, where it came in over the network
};

class PeerTable {
 public:
  struct Settings {
    Liveness::Limits limits;
    std::string host;      // the name of this machine
    bool one_url = false;  // not has_slots(): any number at the first URL
  };

  // What is referred to must outlive this. Between two events others may call the dispatcher, and
  // hand what it decides to obey().
  PeerTable(Dispatcher& dispatcher, Grants& grants, const PeerQuestions& world, Settings settings);

  // What the events since the last call ask for; false: nothing. `into` is empty, and its memory
  // is used again.
  bool take(PeerActions& into);

  // A stranger that has said what it is, and over the network proved that it has a
  // credential: it is let in or refused.
  void on_hello(Time now, Grants::WallTime wall, const Caller& caller, const Frame& introduction,
                const Proven* proven);
  // Both are ignored where the connection was refused, dropped or closed by us. `broken`: as in
  // Connection::End.
  void on_frame(Time now, ConnectionId connection, Frame&& frame);
  void on_closed(Time now, ConnectionId connection, bool broken, const std::string& reason);

  // The job of the agent that came with this grant for one of these slots has ended. An
  // agent that is still there is left alone: it will not be for long.
  void on_job_over(Time now, GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause);
  // That job has been stopped, so that its agent is silent; or it goes on.
  void on_job_suspended(Time now, GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended);
  // A process of ours has ended that was a daemon.
  void on_process_ended(Time now, pid_t pid, const REnd& end);

  // What the dispatcher has decided.
  void obey(Time now, Sends sends);
  // saisei(force): whoever is at a slot is sent away.
  void drop_slot(Time now, std::size_t slot);
  // Says goodbye to everybody. `stop`: also to those that would rather stay.
  void close(bool stop);

  // Those of the dispatcher are among them.
  std::optional<Time> next_timer() const;
  void on_timer(Time now);

  // How many daemons there are, and peers.
  std::size_t online() const { return daemons_.size(); }
  std::size_t size() const { return peers_.size(); }

 private:
  static constexpr std::uint32_t max_ranks = 4096;  // daemons behind one agent
  using PeerId = Liveness::PeerId;
  using Admission = std::optional<Grants::Admission>;
  // Mostly there is one, which then lives inside. With a thousand daemons each
  // jump to another place in memory costs as much as a short system call.
  using Ranks =
      boost::container::flat_map<std::uint32_t, DaemonId, std::less<>,
                                 boost::container::small_vector<std::pair<std::uint32_t, DaemonId>, 1>>;
  struct Connected {
    PeerId id = 0;
    Role role = Role::daemon;
    Caller from;  // no connection: an agent that is away, a daemon of which more is to be heard
    std::string instance;
    std::optional<pid_t> pid;  // of this machine: a daemon, or an agent of ours
    Admission admission;       // network only
    bool said_goodbye = false;
    bool had_daemons = false;   // an agent that has none yet is still starting them
    std::uint64_t strays = 0;   // answers in a row from ranks it does not have
    std::optional<REnd> ended;  // how our process has ended; its stream may hold more yet
    // Its job is being ended, or has ended: why, as far as is known.
    std::optional<Cause> job_ends;
    bool job_is_over = false;  // the batch system has said so; its agent may not know
    Ranks ranks;
    std::unordered_map<std::uint32_t, std::string> instances;  // of the R at a rank
    std::unordered_set<std::uint32_t> given_up;  // ranks at which its agent starts no R any more
    std::unordered_set<std::uint32_t> to_kill;   // ranks whose end was wanted while the agent was away
    // Ranks that have not said what they hold since the agent is back.
    std::unordered_set<std::uint32_t> silent;
  };
  struct Member {
    Connected* peer;
    std::uint32_t rank;
  };

  template <class What>
  void act(What&& what) {
    actions_.emplace_back(std::forward<What>(what));
  }
  void say(const Connected& peer, Frame frame);
  // By us; what is sent from now on would be lost.
  void drop(Connected& peer, const std::string& why);
  void hang_up(Connected& peer, const std::string& why);

  // coming in
  void welcome_daemon(const Caller& caller, const Frame& hello, const Admission& admission);
  void welcome_agent(const Caller& caller, const Frame& hello, const Admission& admission,
                     std::chrono::milliseconds round_trip);
  void turn_away(const Caller& caller, const Admission& admission, const std::string& why);
  Connected& add(const Caller& caller, Role role, const Admission& admission);
  void connect(Connected& peer, const Caller& caller);
  std::optional<pid_t> own_process(const Frame& hello, const Admission& admission) const;
  Connected* find_returned(const std::string& instance, const Admission& admission) const;
  std::optional<std::size_t> own_slot(const std::string& url, const Caller& from, const Admission& admission,
                                      std::string& why_not) const;
  std::optional<std::size_t> free_slot(const std::string& url, const Caller& from, const Admission& admission,
                                       std::string& why_not);
  DaemonId number(Connected& peer, std::uint32_t rank);
  void seat(const Connected& peer, DaemonId daemon, std::size_t slot,
            std::optional<std::chrono::milliseconds> left = {}, const Size& size = {});
  bool has_room_for(const Admission& admission) const;

  // what they say
  void on_finished(Connected& peer, Frame&& frame);
  void on_said(const Connected& peer, Frame&& frame);
  void on_join(Connected& peer, const Frame& frame);
  void on_left(Connected& peer, const Frame& frame);
  void on_given_up(Connected& peer, const Frame& frame);
  // What an agent is told of one of its daemons: which R is meant, for it may have another by now.
  void let_in(const Connected& peer, std::uint32_t rank, std::size_t slot);
  void refuse_rank(const Connected& peer, std::uint32_t rank, const std::string& instance,
                   const std::string& why);

  // what they are told
  void carry_out(Sends& sends);
  void carry_out(Assign& assign);
  void carry_out(Share& share);
  void carry_out(const Interrupt& interrupt);
  void carry_out(const Kill& kill);
  void carry_out(const HandBack& hand_back);
  void carry_out(const Acknowledge& acknowledge);
  void carry_out(const Dismiss& dismiss);
  void carry_out(Resolve& resolve) { act(std::move(resolve)); }
  void carry_out(StartLocal& start) { act(start); }
  void carry_out(Tell& tell) { act(std::move(tell)); }
  void end(const Member& member, CancelKind kind);
  void signal_daemon(const Connected& peer, int number);

  // going out
  void on_cut_off(Connected& peer, bool broken, const std::string& reason);
  bool is_connected(const Connected& peer) const;
  static Cause cause_of_end(const Connected& peer);
  void replace(const CredentialId& resumption);
  void settle_after(const Connected& peer, std::chrono::milliseconds wait);
  void settle(Connected& peer, Cause cause);
  void give_up(Connected& peer, Cause cause);
  void give_up_if_empty(Connected& peer);
  void take_out(Connected& peer, const Cause& cause);
  void remove(Connected& peer, std::uint32_t rank, const Cause& cause);
  void tell_of_daemon(const Connected& peer, std::size_t slot, std::optional<Cause::Kind> left);

  // jobs
  std::vector<Connected*> peers_of_job(GrantId grant, const std::vector<std::size_t>& slots) const;
  void on_job_ends(Connected& peer, const Cause& cause);
  void ask_what_happened(const Connected& peer);
  std::string with_place(const Connected& peer, std::size_t slot, const std::string& text) const;

  // silence
  void on_judgement(const Liveness::Judgement& judgement);
  void set_suspect(const Connected& peer, bool suspect);
  void set_busy(const Connected& peer);

  const Member* find(DaemonId daemon) const;

  Dispatcher& dispatcher_;
  Grants& grants_;
  const PeerQuestions& world_;
  Settings settings_;
  Liveness liveness_;
  Time now_{};  // of the event that is dealt with
  PeerActions actions_;
  PeerId last_peer_ = 0;
  DaemonId last_daemon_ = 0;
  std::unordered_map<PeerId, std::unique_ptr<Connected>> peers_;
  boost::unordered_flat_map<ConnectionId, Connected*> connections_;
  boost::unordered_flat_map<DaemonId, Member> daemons_;
  std::unordered_map<std::size_t, DaemonId> slots_;
  std::multimap<Time, PeerId> deadlines_;  // when a peer is gone, whatever has been heard by then
};

}  // namespace tenkai
