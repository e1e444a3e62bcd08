#include "plugins/mpi/rank_line.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/lines.h"
#include "base/text.h"

namespace tenkai::mpi {
namespace {

constexpr std::string_view mark = "tenkai-rank\t";
constexpr std::array<std::string_view, 3> words{"started", "ended", "refused"};
constexpr std::size_t max_host = 256;
constexpr std::size_t max_text = 3500;

// So that it is no longer than it may be when it is escaped.
std::string shortened(std::string text, std::size_t most) {
  for (std::size_t limit = most;; limit = limit * 2 / 3) {
    keep_last_lines(text, limit);
    if (escape_line(text).size() <= most || limit == 0) return text;
  }
}

std::string number_or_dash(const std::optional<int>& number) {
  return number ? std::to_string(*number) : "-";
}

}  // namespace

std::string to_line(const RankLine& line) {
  std::size_t most = line.what == RankLine::What::started ? max_host : max_text;
  return std::string(mark) +
         row_of({words[static_cast<std::size_t>(line.what)], std::to_string(line.rank),
                 number_or_dash(line.exit_code), number_or_dash(line.signal), shortened(line.text, most)});
}

std::optional<RankLine> parse_rank_line(std::string_view line) {
  std::size_t at = line.find(mark);
  if (at == line.npos) return std::nullopt;
  std::vector<std::string> fields = read_row(line.substr(at + mark.size()));
  if (fields.size() != 5) return std::nullopt;
  RankLine found;
  auto word = std::find(words.begin(), words.end(), fields[0]);
  if (word == words.end()) return std::nullopt;
  found.what = static_cast<RankLine::What>(word - words.begin());
  std::optional<std::size_t> rank = to_number<std::size_t>(fields[1]);
  if (!rank) return std::nullopt;
  found.rank = *rank;
  found.exit_code = to_number<int>(fields[2]);
  found.signal = to_number<int>(fields[3]);
  found.text = fields[4];
  return found;
}

}  // namespace tenkai::mpi
