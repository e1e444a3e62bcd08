// The daemons and agents that are connected.
//
// PeerTable decides what becomes of them and what they are told; here are their connections and
// the clock. Also the dispatcher's: its decisions come through here, and so does its time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "process/r_processes.h"
#include "scheduler/dispatcher.h"
#include "scheduler/doors.h"
#include "scheduler/grants.h"
#include "scheduler/launcher_interface.h"
#include "scheduler/liveness.h"
#include "scheduler/local_daemons.h"
#include "scheduler/peer_table.h"
#include "wire/connection.h"

namespace tenkai {

class Peers : private PeerQuestions {
 public:
  struct Dependencies {
    Dispatcher& dispatcher;
    const Doors& doors;
    Grants& grants;
    const RProcesses& processes;
    LocalDaemons& local;  // when one of them ends, it calls on_process_ended()
    // What the dispatcher decides that is not for daemons.
    std::function<void(Resolve&)> resolve;
    std::function<void(Frame&&)> pass_on;  // what a task says
    std::function<void()> start_local;
    std::function<void(const std::string&)> tell;  // the user
    std::function<void()> on_changed;              // somebody has come or gone
    // Hears of daemons that come and go and are no R processes of ours; null: nobody does.
    LauncherInterface* launcher = nullptr;
    bool one_url = false;  // not has_slots(): any number at the first URL
  };

  // What `dependencies` refers to must outlive this.
  Peers(asio::any_io_executor executor, Dependencies dependencies, Liveness::Limits limits);

  // As the events of PeerTable. What they ask for is done before they return, unless they come
  // from inside of that.
  void on_hello(const ConnectionPtr& connection, const Frame& introduction, const Proven* proven);
  void on_job_over(GrantId grant, const std::vector<std::size_t>& slots, const Cause& cause);
  void on_job_suspended(GrantId grant, const std::vector<std::size_t>& slots, bool is_suspended);
  void on_process_ended(pid_t pid, const REnd& end);
  void obey(Sends sends);
  void drop_slot(std::size_t slot);
  void close(bool stop);

  // How many daemons are here and not suspect of being gone.
  std::size_t online() const { return table_.online(); }

 private:
  bool is_open(ConnectionId connection) const override { return find(connection) != nullptr; }
  std::optional<std::size_t> slot_of(const std::string& url, std::uint16_t port) const override {
    return dependencies_.doors.slot_of(url, port);
  }
  std::optional<std::size_t> slot_of(pid_t pid) const override { return dependencies_.local.slot_of(pid); }
  Size size_of(GrantId grant, std::size_t slot) const override;
  std::string place_of(GrantId grant, std::size_t slot) const override;

  void act();
  void carry_out(peer_action::Welcome& welcome);
  void carry_out(peer_action::Refuse& refuse);
  void carry_out(peer_action::Say& say);
  void carry_out(peer_action::Drop& drop);
  void carry_out(peer_action::Close& close);
  void carry_out(peer_action::Signal& signal);
  void carry_out(peer_action::LocalJoined& joined) { dependencies_.local.on_joined(joined.pid); }
  void carry_out(peer_action::LocalLeft& left) {
    dependencies_.local.on_left(left.pid, left.cause, left.worked);
  }
  void carry_out(peer_action::Joined& joined);
  void carry_out(peer_action::Left& left);
  void carry_out(peer_action::GivenUp& given_up);
  void carry_out(peer_action::Away& away);
  void carry_out(peer_action::PassOn& what) { dependencies_.pass_on(std::move(what.said)); }
  void carry_out(peer_action::Changed&) { dependencies_.on_changed(); }
  void carry_out(peer_action::Log& log);
  void carry_out(Resolve& resolve) { dependencies_.resolve(resolve); }
  void carry_out(StartLocal&) { dependencies_.start_local(); }
  void carry_out(Tell& tell) { dependencies_.tell(tell.text); }

  Connection* find(ConnectionId connection) const;  // null where it is not open
  ConnectionPtr let_go(ConnectionId connection);
  void on_frame(ConnectionId id, Connection& connection, Frame&& frame);
  void on_closed(ConnectionId id, const Connection::End& end);
  void arm_timer();

  Dependencies dependencies_;
  PeerTable table_;
  PeerActions batch_;
  bool acts_ = false;
  ConnectionId last_connection_ = 0;
  boost::unordered_flat_map<ConnectionId, ConnectionPtr> connections_;
  asio::steady_timer timer_;
  std::optional<Time> armed_;
};

}  // namespace tenkai
