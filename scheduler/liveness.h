// Tells from the silence of a connection whether its other end is still there.
//
// Between machines a dead peer often looks like a quiet one: no end of file comes
// from a node without power, from a firewall that forgot us, or from a machine that
// swaps. So silence is not taken for death. A peer that is *busy* (it holds a task)
// is probed when nothing came from it for `probe`; when nothing came for `suspect`
// it gets nothing new; when nothing came for `reconnect` it is lost, and only then
// is its work given to another. An idle peer costs nothing at all, not even a
// timer: there is nothing to save, and the kernel's keepalive finds it out.
//
//   busy and silent   probe  probe  probe  Suspect (and probes go on)  ...  Lost
//   since heard       2 s    4 s    6 s    8 s                              60 s
//
// A connection that breaks makes its peer suspect at once. An end of file or a
// reset came from a kernel that is alive, so the peer is back within `eof_grace`, and
// the time that dialling takes on its link, or most likely not at all: others get its
// work. A connection that broke of silence, or of changed bytes, has until `reconnect`
// after the last sign of life.
//
// Like the dispatcher it is pure: the time is an argument, and the caller carries
// the verdicts out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tenkai {

class Liveness {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using PeerId = std::uint64_t;

  struct Limits {
    std::chrono::milliseconds probe{2000};
    std::chrono::milliseconds suspect{8000};
    std::chrono::milliseconds reconnect{60000};
    std::chrono::milliseconds eof_grace{5000};
    // Dialling takes 5 round trips: TCP, TLS, WebSocket, HELLO and PROOF.
    int round_trips = 6;
  };

  enum class Verdict : std::uint8_t {
    probe,    // ask it for a sign of life
    suspect,  // silent or cut off for too long: nothing new for it
    heard,    // not suspect any more
    lost,     // it will not come back; it is forgotten here
  };
  struct Judgement {
    PeerId peer;
    Verdict verdict;
    bool operator==(const Judgement&) const = default;
  };

  // Limits that contradict each other are put in order: `suspect` is at most
  // `reconnect`, and `probe` leaves time for an answer before `suspect`.
  explicit Liveness(Limits limits);
  Liveness() : Liveness(Limits()) {}

  // A peer that is connected and idle. A peer that is here already starts anew.
  void add(PeerId peer, Time now);
  // How long its answers take on their way here, as was measured when it dialled.
  void set_round_trip(PeerId peer, std::chrono::milliseconds round_trip);
  // Ended on purpose, or known to be dead by other means.
  void remove(PeerId peer);

  // Something came from the peer, whatever it was. Call it for each read: it
  // takes one look-up and writes down the time. `heard`, when it was suspect.
  std::optional<Verdict> on_heard(Time now, PeerId peer);
  // Whether it holds a task. Its silence counts from here at the earliest. One
  // that is suspect is watched to the end, busy or not. `probe`, where nothing came from it
  // for that long: its answer tells that it reads what it is sent.
  std::optional<Verdict> set_busy(Time now, PeerId peer, bool busy);
  // Somebody knows that a suspect peer has been stopped, and may go on: then its silence
  // is no end. It is probed now and then, until it is heard or goes on. For one that is
  // not suspect this says nothing.
  void set_suspended(Time now, PeerId peer, bool suspended);
  // `suspect`, unless it was that already. `end_of_file`: the other end closed or
  // reset the connection; else it broke of silence (ETIMEDOUT, no route) or of bytes
  // that are not those that were sent.
  std::optional<Verdict> on_disconnected(Time now, PeerId peer, bool end_of_file);
  // `heard`, when it was suspect.
  std::optional<Verdict> on_reconnected(Time now, PeerId peer);

  // Call on_timer() at this time or later. Nothing: no timer is wanted.
  std::optional<Time> next_timer() const;
  // In the order in which things became due. When it is called much later than
  // that, it was us who slept (SIGSTOP, a machine that swaps): that time is then
  // not held against anyone.
  std::vector<Judgement> on_timer(Time now);

  bool is_suspect(PeerId peer) const;
  // When something came from it last, or it came (back) itself; nothing for unknown peers.
  std::optional<Time> last_heard(PeerId peer) const;
  std::size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    Time sign{};   // the last sign of life, or when we began to expect one
    Time heard{};  // the last sign of life
    Time last_probe{};
    Time lost_at{};  // while not connected
    std::chrono::milliseconds round_trip{0};
    bool connected = true;
    bool busy = false;
    bool suspect = false;
    bool suspended = false;
    std::optional<Time> due;  // what stands in timers_
  };

  Peer* find(PeerId peer);
  Time probe_due(const Peer& peer) const;
  std::optional<Time> due_of(const Peer& peer) const;
  void schedule(PeerId id, Peer& peer);
  std::optional<Verdict> judge(Time now, Peer& peer) const;
  void forgive(Time now, std::chrono::steady_clock::duration sleep);

  Limits limits_;
  std::unordered_map<PeerId, Peer> peers_;
  std::set<std::pair<Time, PeerId>> timers_;
};

}  // namespace tenkai
