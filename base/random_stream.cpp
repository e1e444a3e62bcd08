#include "base/random_stream.h"

#include <optional>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace tenkai {
namespace {

// The generator is MRG32k3a: two recurrences of order three, each a matrix that takes a
// state one number on. To go on by 2^76 numbers is that matrix squared 76 times.
using Row = std::array<std::uint64_t, 3>;
using Matrix = std::array<Row, 3>;

struct Recurrence {
  std::uint64_t modulus;
  Matrix step;
};

constexpr int jump = 76;

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

constexpr Matrix jump_of(const Recurrence& recurrence) {
  Matrix matrix = recurrence.step;
  for (int i = 0; i < jump; ++i) matrix = square(matrix, recurrence.modulus);
  return matrix;
}

constexpr Matrix first_jump = jump_of(first);
constexpr Matrix second_jump = jump_of(second);

void go_on(const std::int32_t* from, const Matrix& matrix, std::uint64_t modulus, std::int32_t* to) {
  Row state{};
  for (std::size_t i = 0; i < 3; ++i) state[i] = static_cast<std::uint32_t>(from[i]);
  for (std::size_t i = 0; i < 3; ++i)
    to[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(dot(matrix[i], state, modulus)));
}

}  // namespace

RandomStream next_substream(const RandomStream& stream) {
  RandomStream next{};
  next[0] = stream[0];
  go_on(stream.data() + 1, first_jump, modulus1, next.data() + 1);
  go_on(stream.data() + 4, second_jump, modulus2, next.data() + 4);
  return next;
}

std::string with_substream(const std::string& call, std::size_t number) {
  constexpr std::string_view begin = "rs=c(";
  std::size_t at = call.find(begin);
  std::size_t end = call.find(')', at);
  if (number == 0 || at == call.npos || end == call.npos) return call;
  at += begin.size();
  RandomStream stream{};
  std::vector<std::string_view> fields = split(std::string_view(call).substr(at, end - at), ',');
  if (fields.size() != stream.size()) return call;
  for (std::size_t i = 0; i < stream.size(); ++i) {
    auto each = to_number<std::int32_t>(fields[i]);
    if (!each) return call;
    stream[i] = *each;
  }
  for (std::size_t i = 0; i < number; ++i) stream = next_substream(stream);
  std::string text;
  for (std::int32_t each : stream) text += (text.empty() ? "" : ",") + std::to_string(each);
  return call.substr(0, at) + text + call.substr(end);
}

}  // namespace tenkai
