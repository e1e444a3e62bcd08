// Maps: how their elements are cut into pieces, and what becomes of each of them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/parcel.h"
#include "tests/catch.h"
#include "tests/parcels.h"
#include "tests/scheduler/describe.h"

using namespace tenkai;
using namespace tenkai::tests;
using namespace std::chrono_literals;

namespace {

// "e0", "e1", …
Payload elements(std::uint64_t from, std::uint64_t count) {
  std::vector<std::string> values;
  for (std::uint64_t i = from; i < from + count; ++i) {
    values.emplace_back(1, 'e');
    values.back() += std::to_string(i);
  }
  return make_payload(parcel_of(values));
}

Sends map_of(Dispatcher& dispatcher, std::uint64_t count, std::uint64_t chunk = 0) {
  dispatcher.on_map(at(0s), 1, {100, count, make_payload("f"), chunk});
  return dispatcher.on_elements(at(0s), 1, 100, elements(0, count));
}

Dispatcher::Piece piece(std::uint64_t first, std::uint32_t attempt, std::uint64_t count) {
  Dispatcher::Piece done{{1, first}, attempt, make_payload("r")};
  done.count = count;
  done.usage = {0, 1, count * 1000};
  return done;
}

}  // namespace

TEST_CASE("the most memory that was held counts elements, and what they share") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 3);
  std::uint64_t all = 1 + elements(0, 3)->size();
  dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 1));
  CHECK(dispatcher.peak_memory() == all);
}

TEST_CASE("a daemon gets what the elements share once, and then as many as it can do in a while") {
  Dispatcher dispatcher = with_daemons(1);

  CHECK(describe(map_of(dispatcher, 100)) == Lines{"share 1/100 with 10 \"f\"", "assign 1/100#1 to 10 e0"});
  CHECK(dispatcher.queued() == 99);

  // An element takes 1 ms.
  Lines next = describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 1)));
  CHECK(next ==
        Lines{"resolve 1/100+1 \"r\"",
              "assign 1/101#1 to 10 e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 e12 e13 e14 e15 e16 e17 e18 e19 e20"});
}

TEST_CASE("pieces shrink towards the end") {
  MapWork map;
  map.us_per_element = 1000;
  map.waiting = 1000;
  CHECK(piece_size(map, 4) == 20);
  map.waiting = 80;
  CHECK(piece_size(map, 4) == 10);
  map.waiting = 3;
  CHECK(piece_size(map, 4) == 1);
}

TEST_CASE("the user may say how many elements travel together") {
  Dispatcher dispatcher = with_daemons(2);
  CHECK(describe(map_of(dispatcher, 5, 2)) == Lines{"share 1/100 with 10 \"f\"", "assign 1/100#1 to 10 e0 e1",
                                                    "share 1/100 with 11 \"f\"",
                                                    "assign 1/102#1 to 11 e2 e3"});
}

TEST_CASE("what a daemon has not begun goes to whoever is free") {
  Dispatcher dispatcher = with_daemons(2);
  map_of(dispatcher, 4, 4);

  Lines next = describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 1)));
  CHECK(next == Lines{"resolve 1/100+1 \"r\"", "assign 1/101#2 to 10 e1 e2 e3"});
  CHECK(dispatcher.slots()[0].assigned == 4);
  CHECK(dispatcher.slots()[0].complete == 1);
}

TEST_CASE("after the death of a daemon its elements are tried one by one, and that counts") {
  Rules rules;
  rules.retries.outside = 0;
  Dispatcher dispatcher = with_daemons(1, rules);
  map_of(dispatcher, 3, 3);

  Cause killed{Cause::Kind::killed, "was killed"};
  dispatcher.on_daemon_left(at(1s), 10, killed);
  CHECK(dispatcher.queued() == 3);
  CHECK(describe(dispatcher.on_daemon_joined(at(1s), 11)) ==
        Lines{"share 1/100 with 11 \"f\"", "assign 1/100#2 to 11 e0"});
  CHECK(describe(dispatcher.on_daemon_left(at(2s), 11, killed)).front() ==
        "resolve 1/100+1 code 19: daemon 1 was killed while it ran this task");
  CHECK(dispatcher.unresolved() == 2);
}

TEST_CASE("an element that is cancelled is never sent") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 5, 1);

  CHECK(describe(dispatcher.on_cancel(at(0s), 1, 102, 2)) == Lines{"resolve 1/102+2 code 20: "});
  CHECK(dispatcher.queued() == 2);
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 1))).back() ==
        "assign 1/101#1 to 10 e1");
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(101, 1, 1))).back() ==
        "assign 1/104#1 to 10 e4");
}

TEST_CASE("what is interrupted for an element that is cancelled is tried again") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 3, 3);

  CHECK(describe(dispatcher.on_cancel(at(0s), 1, 102)) ==
        Lines{"resolve 1/102+1 code 20: ", "interrupt 1/100#1 on 10"});
  Dispatcher::Piece stopped = piece(100, 1, 1);
  stopped.interrupted = true;
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, stopped)) == Lines{"assign 1/100#2 to 10 e0 e1"});
}

TEST_CASE("a map that is cancelled as a whole leaves nothing behind, also where some had not come yet") {
  Dispatcher dispatcher = with_daemons(1);
  dispatcher.on_map(at(0s), 1, {100, 10, make_payload("f"), 2});
  dispatcher.on_elements(at(0s), 1, 100, elements(0, 4));

  CHECK(describe(dispatcher.on_cancel(at(0s), 1, 100, 10)) ==
        Lines{"resolve 1/100+2 code 20: ", "interrupt 1/100#1 on 10", "resolve 1/102+2 code 20: "});
  CHECK(dispatcher.on_elements(at(0s), 1, 104, elements(4, 6)).empty());
  CHECK(dispatcher.unresolved() == 0);
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 0))) == Lines{"acknowledge 10"});
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("a map is known until the last of its elements has its answer, and no longer") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 4, 2);
  dispatcher.on_cancel(at(0s), 1, 100);
  // The first element has had its answer, which this one is not.
  dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 2));
  CHECK(dispatcher.memory() > 1);
  CHECK(describe(dispatcher.on_cancel(at(1s), 1, 103)) ==
        Lines{"resolve 1/103+1 code 20: ", "interrupt 1/102#1 on 10"});
  Dispatcher::Piece rest = piece(102, 1, 1);
  dispatcher.on_piece_finished(at(2s), 10, rest);
  CHECK(dispatcher.memory() == 0);
}

TEST_CASE("what elements share counts as memory, and a map that is too much is not taken") {
  Rules rules;
  rules.memory_limit = 100;
  Dispatcher dispatcher = with_daemons(1, rules);
  dispatcher.on_submit(at(0s), 1, task(1));
  CHECK(describe(dispatcher.on_map(at(0s), 1, {100, 3, make_payload(std::string(100, 'f')), 0}))
            .front()
            .substr(0, 22) == "resolve 1/100+3 code 2");
}

TEST_CASE("a daemon that comes back after a break is told again what elements share") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 2, 1);

  Lines again = describe(dispatcher.on_daemon_resumed(at(1s), 10, std::nullopt));
  CHECK(again == Lines{"share 1/100 with 10 \"f\"", "assign 1/100#2 to 10 e0"});
}

TEST_CASE("an answer for none of its elements does not go on for ever") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 2, 2);
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 0))) ==
        Lines{"resolve 1/100+2 code 19: daemon 1 has answered none of the elements that it was given",
              "acknowledge 10"});
}

TEST_CASE("tasks and elements are sent in the order in which they were submitted") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 2, 1);
  dispatcher.on_submit(at(0s), 1, task(7));
  dispatcher.on_map(at(0s), 1, {200, 1, make_payload("g"), 0});
  dispatcher.on_elements(at(0s), 1, 200, elements(0, 1));

  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(100, 1, 1))).back() ==
        "assign 1/101#1 to 10 e1");
  CHECK(describe(dispatcher.on_piece_finished(at(1s), 10, piece(101, 1, 1))).back() ==
        "assign 1/7#1 to 10 \"x\"");
  CHECK(describe(dispatcher.on_finished(at(1s), 10, {1, 7}, 1, {}, false, false)).back() ==
        "assign 1/200#1 to 10 e0");
}

TEST_CASE("numbers of elements are not used for anything else") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 3, 1);
  CHECK(describe(dispatcher.on_submit(at(0s), 1, task(102))).front().substr(0, 14) == "tell 1: task 1");
  CHECK(describe(dispatcher.on_map(at(0s), 1, {98, 3, {}, 0})).size() == 1);
  CHECK(describe(dispatcher.on_map(at(0s), 1, {UINT64_MAX, 2, {}, 0})).size() == 1);
  CHECK(dispatcher.on_elements(at(0s), 1, 101, elements(1, 1)).empty());
}

TEST_CASE("the daemons that are launched as there is work are for all elements") {
  Dispatcher dispatcher = with_daemons(1);
  map_of(dispatcher, 50, 1);
  CHECK(dispatcher.load(std::nullopt).queued == 49);
}

namespace {

// A map through a random life: whatever happens, each element is resolved once.
struct MapLife {
  explicit MapLife(std::uint64_t seed, Policy policy)
      : random(seed), dispatcher([&] {
          Rules rules;
          rules.policy = policy;
          rules.retries.outside = static_cast<int>(below(3));
          return Dispatcher(rules, 4);
        }()) {}

  std::uint64_t below(std::uint64_t limit) { return random() % limit; }

  void take(const Sends& sends) {
    for (const Send& send : sends) {
      if (const auto* assign = std::get_if<Assign>(&send)) {
        std::optional<Parcel> parcel = Parcel::in(view_of(assign->payload));
        REQUIRE(parcel);
        REQUIRE(busy.count(assign->daemon) == 0);
        REQUIRE(shared.count(assign->daemon) == 1);
        for (std::uint64_t i = 0; i < parcel->count(); ++i) {
          std::string expected = "e" + std::to_string(assign->key.task + i - 100);
          REQUIRE(std::string((*parcel)[i]) == expected);
        }
        busy[assign->daemon] = {assign->key.task, assign->attempt, parcel->count()};
      } else if (const auto* share = std::get_if<Share>(&send)) {
        shared.insert(share->daemon);
      } else if (const auto* resolve = std::get_if<Resolve>(&send)) {
        for (std::uint64_t i = 0; i < resolve->count; ++i) ++resolved[resolve->key.task + i];
      }
    }
  }

  void join() {
    std::uint64_t daemon = next_daemon++;
    take(dispatcher.on_daemon_joined(at(0s), daemon, below(4)));
    if (dispatcher.slot_of(daemon)) daemons.push_back(daemon);
  }

  void leave(Cause::Kind kind) {
    if (daemons.empty()) return;
    std::size_t which = below(daemons.size());
    std::uint64_t daemon = daemons[which];
    daemons.erase(daemons.begin() + static_cast<std::ptrdiff_t>(which));
    busy.erase(daemon);
    take(dispatcher.on_daemon_left(at(0s), daemon, {kind, "went away"}));
  }

  void finish(bool whole) {
    if (busy.empty()) return;
    auto found = std::next(busy.begin(), static_cast<std::ptrdiff_t>(below(busy.size())));
    auto [daemon, held] = *found;
    auto [first, attempt, count] = held;
    busy.erase(found);
    Dispatcher::Piece done = piece(first, attempt, whole ? count : 1 + below(count));
    done.interrupted = !whole && below(3) == 0;
    done.usage.wall_us = 1 + below(30'000);
    take(dispatcher.on_piece_finished(at(0s), daemon, done));
  }

  void cancel() {
    std::uint64_t first = 100 + below(total), most = 1 + below(below(5) == 0 ? total : 5);
    std::uint64_t end = std::min(first + most, 100 + total);
    for (std::uint64_t i = first; i < end; ++i) cancelled.insert(i);
    take(dispatcher.on_cancel(at(0s), 1, first, most));
  }

  void live() {
    dispatcher.on_session_joined(at(0s), 1);
    total = 1 + below(60);
    dispatcher.on_map(at(0s), 1, {100, total, make_payload("f"), below(3) == 0 ? 1 + below(5) : 0});
    std::uint64_t sent = 0;
    for (int step = 0; step < 400; ++step) {
      std::uint64_t dice = below(100);
      if (dice < 15 && sent < total) {
        std::uint64_t count = 1 + below(std::min<std::uint64_t>(total - sent, 20));
        take(dispatcher.on_elements(at(0s), 1, 100 + sent, elements(sent, count)));
        sent += count;
      } else if (dice < 30) {
        join();
      } else if (dice < 38) {
        leave(below(3) == 0 ? Cause::Kind::segfault : Cause::Kind::killed);
      } else if (dice < 42) {
        cancel();
      } else if (dice < 45 && !daemons.empty()) {
        std::uint64_t daemon = daemons[below(daemons.size())];
        busy.erase(daemon);
        take(dispatcher.on_daemon_resumed(at(0s), daemon, std::nullopt));
      } else {
        finish(below(3) > 0);
      }
    }
    if (sent < total) take(dispatcher.on_elements(at(0s), 1, 100 + sent, elements(sent, total - sent)));
    if (daemons.empty()) {
      std::uint64_t daemon = next_daemon++;
      take(dispatcher.on_daemon_joined(at(0s), daemon, 0));
      daemons.push_back(daemon);
    }
    for (int step = 0; step < 1000 && !busy.empty(); ++step) finish(true);
  }

  std::mt19937_64 random;
  Dispatcher dispatcher;
  std::uint64_t total = 0;
  std::uint64_t next_daemon = 10;
  std::vector<std::uint64_t> daemons;
  struct Held {
    std::uint64_t first;
    std::uint32_t attempt;
    std::uint64_t count;
  };
  std::map<std::uint64_t, Held> busy;
  std::set<std::uint64_t> shared;
  std::map<std::uint64_t, int> resolved;
  std::set<std::uint64_t> cancelled;
};

}  // namespace

TEST_CASE("each element of a map is resolved, and once, whatever happens to daemons") {
  for (Policy policy : {Policy::queue, Policy::direct}) {
    for (std::uint64_t seed = 1; seed <= 250; ++seed) {
      MapLife life(seed, policy);
      life.live();
      INFO("seed " << seed << ", policy " << static_cast<int>(policy));
      for (std::uint64_t i = 0; i < life.total; ++i) {
        INFO("element " << i);
        int times = life.resolved[100 + i];
        // One that is cancelled may have its answer already where its piece is answered as a
        // whole, and gets none where it has not even come.
        if (life.cancelled.count(100 + i) == 0) REQUIRE(times == 1);
        REQUIRE(times <= 3);
      }
      REQUIRE(life.dispatcher.unresolved() == 0);
      REQUIRE(life.dispatcher.queued() == 0);
      REQUIRE(life.dispatcher.memory() == 0);
    }
  }
}
