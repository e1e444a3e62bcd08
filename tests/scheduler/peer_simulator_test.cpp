#include "tests/scheduler/peer_simulator.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::tests;

namespace {

// More than the usual lives: TENKAI_SIMULATOR_SEEDS=100000.
std::uint64_t seeds() {
  const char* asked = std::getenv("TENKAI_SIMULATOR_SEEDS");
  return asked == nullptr ? 1500 : std::strtoull(asked, nullptr, 10);
}

// --- tables that are broken, to see whether it would be noticed ---

// Leaves out what it should ask for.
template <class What>
PeerFlaw without() {
  PeerFlaw flaw;
  flaw.does = [](PeerActions& actions) {
    std::erase_if(actions, [](const PeerAction& each) { return std::holds_alternative<What>(each); });
  };
  return flaw;
}

// What is looked for, when one of some lives ends with that complaint; else one of the
// complaints there were. It begins where the rarest of them soon comes: with sanitizers a
// thousand lives take a minute.
std::string caught(const PeerFlaw& flaw, const std::string& what) {
  std::string complaint = "nothing";
  for (std::uint64_t seed = 1050; seed <= 3000; ++seed) {
    std::string told = PeerSimulation(seed, flaw).run();
    if (told.find(what) != std::string::npos) return what;
    if (!told.empty()) complaint = told;
  }
  return complaint;
}

#define CHECK_CAUGHT(flaw, what) CHECK(caught(flaw, what) == what)

}  // namespace

TEST_CASE("random lives of peers keep every promise") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    if (!PeerSimulation(seed).run().empty()) FAIL(PeerSimulation(seed).run(true));
  }
  SUCCEED("every life ended well");
}

TEST_CASE("the simulator of peers makes the same life from the same seed") {
  PeerFlaw flaw = without<peer_action::LocalLeft>();

  CHECK(PeerSimulation(7, flaw).run(true) == PeerSimulation(7, flaw).run(true));
}

TEST_CASE("the simulator notices a table that takes the late answer of a lost daemon") {
  PeerFlaw flaw;
  flaw.hears = [](Frame& frame, std::uint32_t latest) {
    if (frame.type == Type::finished) frame.attempt = latest;
    return true;
  };

  CHECK_CAUGHT(flaw, "an answer was taken of an attempt that was given up");
}

TEST_CASE("the simulator notices a table that does not forget who was at a slot") {
  PeerFlaw flaw;
  flaw.forgets_slots = false;

  CHECK_CAUGHT(flaw, "the table and the dispatcher know different daemons");
}

TEST_CASE("the simulator notices a table that does not hear of the ends of connections") {
  PeerFlaw flaw;
  flaw.hears_of_ends = false;

  CHECK_CAUGHT(flaw, "a connection was used that is gone");
}

TEST_CASE("the simulator notices a table that believes a daemon which comes back with nothing") {
  PeerFlaw flaw;
  flaw.hears = [](Frame& frame, std::uint32_t) {
    if (frame.type == Type::join) frame.attempt = 0;
    return true;
  };

  CHECK_CAUGHT(flaw, "a task was handed on while a daemon runs it that is believed in");
}

TEST_CASE("the simulator notices what a table leaves behind") {
  CHECK_CAUGHT(without<peer_action::LocalLeft>(), "the place of a process is left behind");
  CHECK_CAUGHT(without<peer_action::Left>(), "the launcher was told twice that a daemon has come");
}
