// The daemons and agents that are connected, and what they say.
//
// Turns frames into events for the dispatcher and what the dispatcher decides
// into frames. A daemon is one R; a peer is one connection, behind which an
// agent may have many of them (ranks). An agent whose connection breaks is kept
// for a while: it comes back with the same R processes and goes on.
#pragma once

#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "process/r_processes.h"
#include "scheduler/dispatcher.h"
#include "scheduler/doors.h"
#include "scheduler/grants.h"
#include "scheduler/launcher_interface.h"
#include "scheduler/liveness.h"
#include "scheduler/local_daemons.h"
#include "wire/connection.h"

namespace tenkai {

class Peers {
 public:
  struct Dependencies {
    Dispatcher& dispatcher;
    const Doors& doors;
    Grants& grants;
    const RProcesses& processes;
    LocalDaemons& local;               // when one of them ends, it calls on_process_ended()
    std::function<void(Sends)> apply;  // carries out what the dispatcher decides
    std::function<void()> on_changed;  // somebody has come or gone
    // Hears of daemons that come and go and are no R processes of ours; null: nobody does.
    LauncherInterface* launcher = nullptr;
    bool one_url = false;  // direct, ephemeral: any number at the first URL
  };

  // What `dependencies` refers to must outlive this.
  Peers(asio::any_io_executor executor, Dependencies dependencies, Liveness::Limits limits);
  ~Peers();
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // A stranger that has said what it is, and over the network proved that it has a
  // credential: welcome or refuse it.
  void on_hello(const ConnectionPtr& connection, const Frame& introduction, const Proven* proven);

  // The job of the agent that came with this grant for one of these slots has ended. An
  // agent that is still there is left alone: it will not be for long.
  void on_job_over(GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause);

  // That job has been stopped, so that its agent is silent; or it goes on.
  void on_job_suspended(GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended);

  // A process of ours has ended that was a daemon.
  void on_process_ended(pid_t pid, const REnd& end);

  void assign(const Assign& assign);
  void interrupt(DaemonId daemon, const TaskKey& key, std::uint32_t attempt);
  void kill(DaemonId daemon);
  // Ends a daemon whose job is about to end; what it runs is for others.
  void hand_back(DaemonId daemon);
  void acknowledge(DaemonId daemon);
  void dismiss(DaemonId daemon);

  // saisei(force): whoever is at a slot is sent away.
  void drop_slot(std::size_t slot);
  // Says goodbye to everybody. `stop`: also to those that would rather stay.
  void close(bool stop);

  std::optional<Time> next_timer() const { return liveness_.next_timer(); }
  void on_timer(Time now);

  // How many daemons are here and not suspect of being gone.
  std::size_t online() const { return daemons_.size(); }

 private:
  static constexpr std::uint32_t max_ranks = 4096;  // daemons behind one agent
  using PeerId = Liveness::PeerId;
  // Mostly there is one, which then lives inside. With a thousand daemons each
  // jump to another place in memory costs as much as a short system call.
  using Ranks =
      boost::container::flat_map<std::uint32_t, DaemonId, std::less<>,
                                 boost::container::small_vector<std::pair<std::uint32_t, DaemonId>, 1>>;
  struct Connected : std::enable_shared_from_this<Connected> {
    PeerId id = 0;
    Role role = Role::daemon;
    ConnectionPtr connection;  // null while an agent is away
    std::string instance;
    std::optional<pid_t> pid;                    // of this machine: a daemon, or an agent of ours
    std::optional<Grants::Admission> admission;  // network only
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
  };
  using PeerPtr = std::shared_ptr<Connected>;
  struct Member {
    PeerPtr peer;
    std::uint32_t rank = 0;
  };

  using Admission = std::optional<Grants::Admission>;
  void welcome_daemon(const ConnectionPtr& connection, const Frame& hello, const Admission& admission);
  void welcome_agent(const ConnectionPtr& connection, const Frame& hello, const Admission& admission,
                     std::chrono::milliseconds round_trip);
  void turn_away(const ConnectionPtr& connection, const Admission& admission, const std::string& why);
  std::optional<pid_t> own_process(const Frame& hello, const Admission& admission) const;
  PeerPtr find_returned(const std::string& instance, const Admission& admission) const;
  Connection::Callbacks callbacks_for(const PeerPtr& peer);
  std::optional<std::size_t> own_slot(const std::string& url, const Connection& from,
                                      const Admission& admission, std::string& why_not) const;
  std::optional<std::size_t> free_slot(const std::string& url, const Connection& from,
                                       const Admission& admission, std::string& why_not);

  void on_frame(const PeerPtr& peer, Frame&& frame);
  void on_join(const PeerPtr& peer, const Frame& frame);
  // What an agent is told of one of its daemons: which R is meant, for it may have another by now.
  void let_in(const Connected& peer, std::uint32_t rank, std::size_t slot);
  void refuse_rank(const Connected& peer, std::uint32_t rank, const std::string& instance,
                   const std::string& why);
  void on_left(const PeerPtr& peer, const Frame& frame);
  void on_given_up(const PeerPtr& peer, const Frame& frame);
  void on_finished(const PeerPtr& peer, Frame&& frame);
  void on_closed(const PeerPtr& peer, const Connection::End& end);
  static Cause cause_of_end(const Connected& peer);
  void signal_daemon(const Connected& peer, int number);
  void end(const Member& member, CancelKind kind);
  void replace(const CredentialId& resumption);
  void settle(const PeerPtr& peer, const Cause& cause);
  void give_up(const PeerPtr& peer, const Cause& cause);
  void take_out(const PeerPtr& peer, const Cause& cause);
  void remove(const PeerPtr& peer, std::uint32_t rank, const Cause& cause);
  std::vector<PeerPtr> peers_of_job(GrantId grant, const std::vector<std::size_t>& slots) const;
  void on_job_ends(const PeerPtr& peer, const Cause& cause);
  void ask_what_happened(const Connected& peer);
  std::string with_place(const Connected& peer, std::size_t slot, const std::string& text) const;
  void tell_of_daemon(const Connected& peer, std::size_t slot, std::optional<Cause::Kind> left);
  void on_judgement(const Liveness::Judgement& judgement);
  void set_suspect(const PeerPtr& peer, bool suspect);
  void set_busy(const PeerPtr& peer);
  std::size_t agents_without_daemons() const;
  void watch(const PeerPtr& peer);
  const Member* find(DaemonId daemon) const;
  void after(std::chrono::milliseconds wait, std::function<void()> action);

  asio::any_io_executor executor_;
  Dependencies dependencies_;
  std::chrono::milliseconds reconnect_;
  Liveness liveness_;
  PeerId last_peer_ = 0;
  DaemonId last_daemon_ = 0;
  std::unordered_map<PeerId, PeerPtr> peers_;
  boost::unordered_flat_map<DaemonId, Member> daemons_;
  std::unordered_map<std::size_t, DaemonId> slots_;
};

}  // namespace tenkai
