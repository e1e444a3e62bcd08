#include "base/random_stream.h"

#include <cstdint>
#include <string>
#include <vector>

#include "tests/catch.h"

using namespace tenkai;

namespace {

// From R 4.2: set.seed(42) with L'Ecuyer-CMRG, and parallel::nextRNGSubStream() from there.
const RandomStream seed_42 = {10407,      -2133391687, 507561766,  1260545903,
                              1362917092, -1772566379, -1344458670};

}  // namespace

TEST_CASE("substreams are those of R") {
  std::vector<RandomStream> from_r = {
      {10407, -1871565002, 1968597656, -505666782, 1055078269, 658163990, 1090264187},
      {10407, -122323274, 442418215, -314150398, -1994370242, -1572376734, -1226578877},
      {10407, -206179179, -1780303350, 843100471, -496714744, -207072158, -2055512671}};

  RandomStream stream = seed_42;
  for (const RandomStream& expected : from_r) {
    stream = substream(stream, 1);
    CHECK(stream == expected);
  }
}

TEST_CASE("the thousandth substream is that of R") {
  CHECK(substream(seed_42, 1000) ==
        RandomStream{10407, -1229354879, 1378149649, -668326680, -1430483739, 1839136288, 965324761});
}

TEST_CASE("states at the ends of their ranges are followed as in R") {
  CHECK(substream({10407, 1, 2, 3, 4, 5, 6}, 1) ==
        RandomStream{10407, -972087994, 835460660, -1947738528, 146574254, 822766843, -976026004});
  // The largest numbers below each modulus.
  CHECK(substream({10407, -210, -210, -210, -22854, -22854, -22854}, 1) ==
        RandomStream{10407, -1786596118, -1318450755, 1319904505, 1708556728, -1104132454, 1023950169});
  // One that is above it, which R takes all the same.
  CHECK(substream({10407, -1, 0, 0, 0, 0, 1}, 1) ==
        RandomStream{10407, 33934388, -555184911, -709127375, 1610795712, -405049764, -586501216});
}

TEST_CASE("the kind of generator stays what it is") {
  RandomStream other = seed_42;
  other[0] = 407;

  CHECK(substream(other, 1)[0] == 407);
}

TEST_CASE("streams of daemons are those of R") {
  // parallel::nextRNGStream() of R 4.2, twice.
  RandomStream second = next_stream(seed_42);
  CHECK(second == RandomStream{10407, -94575036, -24861725, 357812871, 346211554, -1301022835, 440649733});
  CHECK(next_stream(second) ==
        RandomStream{10407, -358246211, -1411857254, -488221791, 1069515918, -1720689715, 1070199760});
}

TEST_CASE("many streams on is as far as one at a time") {
  RandomStream stream = seed_42;
  for (std::uint64_t count = 0; count < 70; ++count) {
    CHECK(stream_after(seed_42, count) == stream);
    stream = next_stream(stream);
  }
  CHECK(stream_after(stream_after(seed_42, 1'000'000), 1) == stream_after(seed_42, 1'000'001));
}
