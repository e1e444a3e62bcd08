#include "base/random_stream.h"

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
    stream = next_substream(stream);
    CHECK(stream == expected);
  }
}

TEST_CASE("the thousandth substream is that of R") {
  RandomStream stream = seed_42;
  for (int i = 0; i < 1000; ++i) stream = next_substream(stream);

  CHECK(stream ==
        RandomStream{10407, -1229354879, 1378149649, -668326680, -1430483739, 1839136288, 965324761});
}

TEST_CASE("states at the ends of their ranges are followed as in R") {
  CHECK(next_substream({10407, 1, 2, 3, 4, 5, 6}) ==
        RandomStream{10407, -972087994, 835460660, -1947738528, 146574254, 822766843, -976026004});
  // The largest numbers below each modulus.
  CHECK(next_substream({10407, -210, -210, -210, -22854, -22854, -22854}) ==
        RandomStream{10407, -1786596118, -1318450755, 1319904505, 1708556728, -1104132454, 1023950169});
  // One that is above it, which R takes all the same.
  CHECK(next_substream({10407, -1, 0, 0, 0, 0, 1}) ==
        RandomStream{10407, 33934388, -555184911, -709127375, 1610795712, -405049764, -586501216});
}

TEST_CASE("the kind of generator stays what it is") {
  RandomStream other = seed_42;
  other[0] = 407;

  CHECK(next_substream(other)[0] == 407);
}

TEST_CASE("a daemon that is started again draws other numbers") {
  // parallel::nextRNGSubStream() of R says so.
  const std::string call = "tenkai::daemon('fd:3',a=c(1),rs=c(10407,1,2,3,4,5,6),b=2)";
  CHECK(with_substream(call, 0) == call);
  CHECK(with_substream(call, 1) ==
        "tenkai::daemon('fd:3',a=c(1),rs=c(10407,-972087994,835460660,-1947738528,146574254,822766843,-"
        "976026004),b=2)");
  CHECK(with_substream(call, 2) ==
        "tenkai::daemon('fd:3',a=c(1),rs=c(10407,-270999226,1975198736,1772099330,1095832456,-945089545,-"
        "1030460349),b=2)");
  for (std::string other :
       {"", "rs=c(", "rs=c()", "rs=c(1,2,3)", "rs=c(1,2,3,4,5,6,x)", "rs=c(1,2,3,4,5,6,99999999999)"})
    CHECK(with_substream(other, 1) == other);
}
