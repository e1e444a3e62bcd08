#include "base/random_stream.h"

namespace tenkai {
namespace {

// The generator is MRG32k3a: two recurrences of order three, each a matrix that takes a
// state one number on. To go on by 2^k numbers is that matrix squared k times.
using Row = std::array<std::uint64_t, 3>;
using Matrix = std::array<Row, 3>;

struct Recurrence {
  std::uint64_t modulus;
  Matrix step;
};

constexpr std::uint64_t modulus1 = 4294967087;  // 2^32 - 209
constexpr std::uint64_t modulus2 = 4294944443;  // 2^32 - 22853
constexpr Recurrence first = {modulus1, {Row{0, 1, 0}, {0, 0, 1}, {modulus1 - 810728, 1403580, 0}}};
constexpr Recurrence second = {modulus2, {Row{0, 1, 0}, {0, 0, 1}, {modulus2 - 1370589, 0, 527612}}};

// Moduli are below 2^32, so a product fits, and is reduced before the next is added.
constexpr std::uint64_t dot(const Row& row, const Row& column, std::uint64_t modulus) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 3; ++i)
    sum = (sum + row[i] % modulus * (column[i] % modulus) % modulus) % modulus;
  return sum;
}

constexpr Matrix square(const Matrix& matrix, std::uint64_t modulus) {
  Matrix squared{};
  for (std::size_t column = 0; column < 3; ++column) {
    Row down = {matrix[0][column], matrix[1][column], matrix[2][column]};
    for (std::size_t row = 0; row < 3; ++row) squared[row][column] = dot(matrix[row], down, modulus);
  }
  return squared;
}

struct Jump {
  Matrix first;
  Matrix second;
};

constexpr Matrix power(const Recurrence& recurrence, int exponent) {
  Matrix matrix = recurrence.step;
  for (int i = 0; i < exponent; ++i) matrix = square(matrix, recurrence.modulus);
  return matrix;
}

constexpr Jump jump_by(int exponent) { return {power(first, exponent), power(second, exponent)}; }

constexpr Jump to_stream = jump_by(127);
constexpr Jump to_substream = jump_by(76);

void go_on(const std::int32_t* from, const Matrix& matrix, std::uint64_t modulus, std::int32_t* to) {
  Row state{};
  for (std::size_t i = 0; i < 3; ++i) state[i] = static_cast<std::uint32_t>(from[i]);
  for (std::size_t i = 0; i < 3; ++i)
    to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(dot(matrix[i], state, modulus)));
}

RandomStream after(const RandomStream& stream, const Jump& jump) {
  RandomStream next{};
  next[0] = stream[0];
  go_on(stream.data() + 1, jump.first, modulus1, next.data() + 1);
  go_on(stream.data() + 4, jump.second, modulus2, next.data() + 4);
  return next;
}

}  // namespace

RandomStream next_stream(const RandomStream& stream) { return after(stream, to_stream); }

RandomStream stream_after(const RandomStream& stream, std::uint64_t count) {
  RandomStream reached = stream;
  for (Jump jump = to_stream; count > 0; count >>= 1) {
    if ((count & 1) != 0) reached = after(reached, jump);
    jump = {square(jump.first, modulus1), square(jump.second, modulus2)};
  }
  return reached;
}

std::vector<RandomStream> deal_streams(RandomStream& next, std::size_t count) {
  std::vector<RandomStream> streams;
  for (; streams.size() < count; next = next_stream(next)) streams.push_back(next);
  return streams;
}

RandomStream substream(RandomStream stream, std::size_t number) {
  for (std::size_t i = 0; i < number; ++i) stream = after(stream, to_substream);
  return stream;
}

}  // namespace tenkai
