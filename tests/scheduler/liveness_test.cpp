#include "scheduler/liveness.h"

#include <algorithm>

#include "tests/catch.h"

using namespace tenkai;
using namespace std::chrono_literals;
using Verdict = Liveness::Verdict;
using Judgements = std::vector<Liveness::Judgement>;

namespace {

Liveness::Time at(std::chrono::milliseconds since) { return Liveness::Time() + since; }

// Lets time pass as the owner of the timer would, and collects the verdicts.
Judgements run_until(Liveness& liveness, Liveness::Time end) {
  Judgements all;
  while (liveness.next_timer() && *liveness.next_timer() <= end) {
    Judgements some = liveness.on_timer(*liveness.next_timer());
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace

TEST_CASE("idle peers cause no timer") {
  Liveness liveness;

  liveness.add(1, at(0s));
  liveness.add(2, at(0s));

  CHECK_FALSE(liveness.next_timer());
  CHECK(liveness.on_timer(at(1h)).empty());
}

TEST_CASE("a busy peer that is silent is probed, then suspect, then lost") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  CHECK(liveness.next_timer() == at(2s));
  CHECK(run_until(liveness, at(2s)) == Judgements{{1, Verdict::probe}});
  CHECK(run_until(liveness, at(7s)) == Judgements{{1, Verdict::probe}, {1, Verdict::probe}});
  CHECK_FALSE(liveness.is_suspect(1));
  CHECK(run_until(liveness, at(8s)) == Judgements{{1, Verdict::suspect}, {1, Verdict::probe}});
  CHECK(liveness.is_suspect(1));
  Judgements more = run_until(liveness, at(59999ms));
  CHECK(more == Judgements(25, {1, Verdict::probe}));
  CHECK(run_until(liveness, at(60s)) == Judgements{{1, Verdict::lost}});
  CHECK(liveness.size() == 0);
  CHECK_FALSE(liveness.next_timer());
}

TEST_CASE("a peer that is heard in time is neither probed nor suspect") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  Judgements all;
  for (auto now = 1s; now < 100s; now += 1s) {
    CHECK_FALSE(liveness.on_heard(at(now), 1));
    Judgements some = run_until(liveness, at(now));
    all.insert(all.end(), some.begin(), some.end());
  }

  CHECK(all.empty());
}

TEST_CASE("hearing a peer does not move its timer, which finds the new time when it fires") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  liveness.on_heard(at(1500ms), 1);
  CHECK(liveness.next_timer() == at(2s));
  CHECK(liveness.on_timer(at(2s)).empty());

  CHECK(liveness.next_timer() == at(3500ms));
}

TEST_CASE("the timer goes when the peer has nothing to do any more") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  liveness.set_busy(at(1s), 1, false);

  CHECK_FALSE(liveness.next_timer());
}

TEST_CASE("a peer that was silent is asked with its task whether it reads it") {
  Liveness liveness;
  liveness.add(1, at(0s));

  CHECK_FALSE(liveness.set_busy(at(1s), 1, true));
  CHECK_FALSE(liveness.set_busy(at(1h), 1, true));
  CHECK_FALSE(liveness.set_busy(at(1h), 1, false));
  CHECK(liveness.set_busy(at(1h), 1, true) == Verdict::probe);
  liveness.on_heard(at(1h + 1ms), 1);
  CHECK(liveness.last_heard(1) > at(1h));
}

TEST_CASE("the silence of a peer that was idle counts from its task on") {
  Liveness liveness;
  liveness.add(1, at(0s));

  liveness.set_busy(at(1h), 1, true);

  CHECK(liveness.next_timer() == at(1h + 2s));
  CHECK(run_until(liveness, at(1h + 7999ms)).size() == 3);
  CHECK_FALSE(liveness.is_suspect(1));
}

TEST_CASE("a suspect peer that is heard again is told once") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);
  run_until(liveness, at(30s));

  CHECK(liveness.on_heard(at(30s), 1) == Verdict::heard);
  CHECK_FALSE(liveness.on_heard(at(30s), 1));
  CHECK_FALSE(liveness.is_suspect(1));
  CHECK(liveness.next_timer() == at(32s));
}

TEST_CASE("each peer is judged by its own silence") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.add(2, at(0s));
  liveness.set_busy(at(0s), 1, true);
  liveness.set_busy(at(1s), 2, true);

  Judgements all = run_until(liveness, at(3s));

  CHECK(all == Judgements{{1, Verdict::probe}, {2, Verdict::probe}});
}

TEST_CASE("a broken connection makes its peer suspect at once and lost after the grace of an end of file") {
  Liveness liveness;
  liveness.add(1, at(0s));

  CHECK(liveness.on_disconnected(at(10s), 1, true) == Verdict::suspect);
  CHECK(liveness.next_timer() == at(15s));
  CHECK(run_until(liveness, at(15s)) == Judgements{{1, Verdict::lost}});
}

TEST_CASE("a connection that broke of silence has `reconnect` from the last sign of life") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);
  run_until(liveness, at(20s));

  CHECK_FALSE(liveness.on_disconnected(at(20s), 1, false));
  CHECK(liveness.next_timer() == at(60s));
}

TEST_CASE("an idle peer whose connection broke of silence has `reconnect` from then on") {
  Liveness liveness;
  liveness.add(1, at(0s));

  CHECK(liveness.on_disconnected(at(1h), 1, false) == Verdict::suspect);
  CHECK(liveness.next_timer() == at(1h + 60s));
}

TEST_CASE("a peer that comes back in time goes on") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);
  liveness.on_disconnected(at(1s), 1, true);

  CHECK(liveness.on_reconnected(at(5s), 1) == Verdict::heard);

  CHECK_FALSE(liveness.is_suspect(1));
  CHECK(liveness.next_timer() == at(7s));
}

TEST_CASE("on a slow link the grace of an end of file has the time that dialling takes") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.add(2, at(0s));
  liveness.set_round_trip(1, 4s);
  liveness.set_round_trip(2, 1h);

  liveness.on_disconnected(at(10s), 1, true);
  liveness.on_disconnected(at(10s), 2, true);

  CHECK(run_until(liveness, at(38s)).empty());
  CHECK(run_until(liveness, at(39s)) == Judgements{{1, Verdict::lost}});
  CHECK(run_until(liveness, at(70s)) == Judgements{{2, Verdict::lost}});
}

TEST_CASE("the grace of an end of file is never longer than reconnect") {
  Liveness::Limits limits;
  limits.reconnect = 1s;
  Liveness liveness(limits);
  liveness.add(1, at(0s));

  liveness.on_disconnected(at(0s), 1, true);

  CHECK(liveness.next_timer() == at(1s));
}

TEST_CASE("a short reconnect brings probe and suspect forward") {
  Liveness::Limits limits;
  limits.reconnect = 1s;
  Liveness liveness(limits);
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  CHECK(run_until(liveness, at(999ms)) == Judgements(3, {1, Verdict::probe}));
  CHECK(run_until(liveness, at(1s)) == Judgements{{1, Verdict::suspect}, {1, Verdict::lost}});
}

TEST_CASE("limits of zero do not stop the clock") {
  Liveness liveness(Liveness::Limits{0ms, 0ms, 0ms, 0ms});
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  CHECK(run_until(liveness, at(10ms)).back() == Liveness::Judgement{1, Verdict::lost});
}

TEST_CASE("our own sleep is not held against a peer") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  // Due at 2 s, but we were stopped for ten minutes.
  Judgements first = liveness.on_timer(at(10min));

  CHECK(first == Judgements{{1, Verdict::probe}});
  CHECK(run_until(liveness, at(10min + 5s)).size() == 2);
  CHECK_FALSE(liveness.is_suspect(1));
  CHECK(run_until(liveness, at(10min + 6s)).front() == Liveness::Judgement{1, Verdict::suspect});
}

TEST_CASE("a peer that was heard after our sleep is up to date") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  liveness.on_heard(at(10min), 1);

  CHECK(liveness.on_timer(at(10min)).empty());
  CHECK(liveness.next_timer() == at(10min + 2s));
}

TEST_CASE("peers that are not known are ignored") {
  Liveness liveness;

  CHECK_FALSE(liveness.on_heard(at(0s), 7));
  CHECK_FALSE(liveness.on_disconnected(at(0s), 7, true));
  CHECK_FALSE(liveness.on_reconnected(at(0s), 7));
  liveness.set_busy(at(0s), 7, true);
  liveness.remove(7);

  CHECK_FALSE(liveness.next_timer());
}

TEST_CASE("a peer that is removed is not judged any more") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);

  liveness.remove(1);

  CHECK_FALSE(liveness.next_timer());
}

TEST_CASE("a peer that was stopped is waited for, and goes on where it was") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);
  liveness.set_suspended(at(1s), 1, true);
  run_until(liveness, at(10s));
  CHECK(liveness.is_suspect(1));

  liveness.set_suspended(at(10s), 1, true);

  Judgements day = run_until(liveness, at(24h));
  CHECK(day.size() <= 24 * 60);
  CHECK(std::all_of(day.begin(), day.end(), [](const auto& each) { return each.verdict == Verdict::probe; }));
  CHECK(liveness.on_heard(at(24h), 1) == Verdict::heard);
  CHECK_FALSE(liveness.is_suspect(1));
  // After that it is as any other.
  CHECK(run_until(liveness, at(24h + 60s)).back() == Liveness::Judgement{1, Verdict::lost});
}

TEST_CASE("that something was expected of a peer is no sign of life") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(1h), 1, true);
  run_until(liveness, at(1h + 10s));
  liveness.set_suspended(at(1h + 10s), 1, true);

  CHECK(liveness.last_heard(1) == at(0s));
  liveness.on_heard(at(2h), 1);
  CHECK(liveness.last_heard(1) == at(2h));
  liveness.on_reconnected(at(3h), 1);
  CHECK(liveness.last_heard(1) == at(3h));
  CHECK_FALSE(liveness.last_heard(7));
}

TEST_CASE("a peer that goes on and stays silent is lost from then on") {
  Liveness liveness;
  liveness.add(1, at(0s));
  liveness.set_busy(at(0s), 1, true);
  run_until(liveness, at(10s));
  liveness.set_suspended(at(10s), 1, true);
  run_until(liveness, at(1h));

  liveness.set_suspended(at(1h), 1, false);

  for (const auto& each : run_until(liveness, at(1h + 59s))) CHECK(each.verdict == Verdict::probe);
  CHECK(run_until(liveness, at(1h + 60s)).back() == Liveness::Judgement{1, Verdict::lost});
}

TEST_CASE("the connection of a stopped peer may break of silence, but its end is its end") {
  Liveness liveness;
  for (Liveness::PeerId peer : {1, 2}) {
    liveness.add(peer, at(0s));
    liveness.set_busy(at(0s), peer, true);
  }
  run_until(liveness, at(10s));
  for (Liveness::PeerId peer : {1, 2}) liveness.set_suspended(at(10s), peer, true);
  liveness.on_disconnected(at(11s), 1, false);
  liveness.on_disconnected(at(11s), 2, true);

  Judgements all = run_until(liveness, at(1h));

  CHECK(all == Judgements{{2, Verdict::lost}});
  liveness.set_suspended(at(1h), 1, false);
  CHECK(run_until(liveness, at(2h)) == Judgements{{1, Verdict::lost}});
}
