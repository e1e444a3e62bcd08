// Streams of R's generator L'Ecuyer-CMRG.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tenkai {

// A .Random.seed: the kind of generator, then two states of three numbers each, which R
// keeps as signed.
using RandomStream = std::array<std::int32_t, 7>;

// The stream 2^76 numbers on, as parallel::nextRNGSubStream() in R. The streams of daemons
// are 2^127 numbers apart, so no number of substreams of one comes near another.
RandomStream next_substream(const RandomStream& stream);

// A daemon's call with its stream of random numbers (`rs=c(…)`) so many substreams on: one
// that is started again does not draw the same numbers once more.
std::string with_substream(const std::string& call, std::size_t number);

}  // namespace tenkai
