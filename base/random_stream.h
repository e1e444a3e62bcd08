// Streams of R's generator L'Ecuyer-CMRG.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenkai {

// A .Random.seed: the kind of generator, then two states of three numbers each, which R
// keeps as signed.
using RandomStream = std::array<std::int32_t, 7>;

// The stream 2^127 numbers on, as parallel::nextRNGStream() in R: that of another daemon.
RandomStream next_stream(const RandomStream& stream);

// The one so many streams on. Takes as long as a few dozen next_stream() at most.
RandomStream stream_after(const RandomStream& stream, std::uint64_t count);

// The next `count` streams, from `next` on, which is then the one after them.
std::vector<RandomStream> deal_streams(RandomStream& next, std::size_t count);

// The stream so many times 2^76 numbers on, as parallel::nextRNGSubStream(): that of a daemon
// which is started again, so that it does not draw the same numbers once more. No number of
// substreams of one daemon comes near the stream of another.
RandomStream substream(RandomStream stream, std::size_t number);

}  // namespace tenkai
