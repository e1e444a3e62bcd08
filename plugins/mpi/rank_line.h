// What a spawned process, and the one that has spawned it, tell the plugin: lines among
// all that mpirun writes to its standard error, to which it brings what its processes
// write there, from whatever node. No port, no file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tenkai::mpi {

struct RankLine {
  enum class What { started, ended, refused } what = What::started;
  std::size_t rank = 0;
  std::string text;  // started: the host; ended: its last lines; refused: MPI's reason
  // ended: one of them.
  std::optional<int> exit_code;
  std::optional<int> signal;

  bool operator==(const RankLine&) const = default;
};

// Open MPI reads 4 KiB at a time from a process, and may put what others write behind
// that: all lines of one process together are shorter, so none is ever torn.
inline constexpr std::size_t max_rank_lines = 4096;

// With its line end. If the text is too long, its last lines are kept.
std::string to_line(const RankLine& line);

// Nothing where it is a line of somebody else's. mpirun may have put words in front.
std::optional<RankLine> parse_rank_line(std::string_view line);

}  // namespace tenkai::mpi
