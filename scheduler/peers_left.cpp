// What agents say of R processes of theirs that have ended.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "scheduler/end_cause.h"
#include "scheduler/peers.h"

namespace tenkai {
namespace {

// Bytes of what is told to the user.
constexpr std::size_t max_message = 1000;
constexpr std::size_t max_log = 4096;

Time now() { return std::chrono::steady_clock::now(); }

REnd end_of(const Frame& frame) {
  REnd end;
  if (frame.find(Key::exit_code) != nullptr)
    end.how.exit_code = static_cast<int>(frame.number(Key::exit_code));
  if (frame.find(Key::signal) != nullptr) end.how.signal = static_cast<int>(frame.number(Key::signal));
  end.out_of_memory = frame.number(Key::out_of_memory) == 1;
  end.excess = printable(frame.text(Key::message), max_message);
  end.log_tail = printable(frame.text(Key::log_tail), max_message);
  return end;
}

}  // namespace

void Peers::on_left(const PeerPtr& peer, const Frame& frame) {
  auto kind = frame.kind<LeftKind>();
  if (kind == LeftKind::given_up) return on_given_up(peer, frame);
  // Told again after a reconnection; the rank may have another R by now.
  auto known = peer->instances.find(frame.rank);
  if (known == peer->instances.end() || known->second != frame.text(Key::instance)) return;
  REnd end = end_of(frame);
  Cause cause = cause_of(end);
  switch (kind) {
    case LeftKind::drains: {
      std::vector<DaemonId> all;
      for (const auto& [rank, daemon] : peer->ranks) all.push_back(daemon);
      return dependencies_.apply(dependencies_.dispatcher.on_drain(now(), all));
    }
    case LeftKind::job_ends: return on_job_ends(peer, cause);
    case LeftKind::goodbye: return remove(peer, frame.rank, {Cause::Kind::goodbye, "said goodbye"});
    case LeftKind::ended: cause.log = end.log_tail; return remove(peer, frame.rank, cause);
    case LeftKind::given_up: break;  // above, whatever its R was
  }
}

// Its agent starts no other R there: who has launched it would wait for ever.
void Peers::on_given_up(const PeerPtr& peer, const Frame& frame) {
  if (dependencies_.launcher == nullptr || frame.rank >= max_ranks ||
      !peer->given_up.insert(frame.rank).second)
    return;
  std::string why_not;
  auto slot = own_slot(frame.text(Key::url), *peer->connection, peer->admission, why_not);
  if (!slot) return;  // it is somebody else's by now
  REnd end = end_of(frame);
  end.log_tail = printable_lines(frame.text(Key::log_tail).substr(0, max_log));
  GrantId grant = peer->admission ? peer->admission->grant : 0;
  dependencies_.launcher->on_given_up(grant, *slot, end, frame.number(Key::failed));
}

}  // namespace tenkai
