// Workers of other programs as jobs of ours (`tenkai carry`): which commands go together
// into one launch, and what each of its jobs runs. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

// The longest command of one worker, in bytes.
inline constexpr std::size_t max_carried_command = 64 * 1024;

// One launch: `elements` jobs (of an array, where there is one), each of which finds its number
// in TENKAI_RANK and runs the next `chunk` of the workers side by side.
struct CarriedLaunch {
  std::vector<std::string> command;  // argv, the same for each of them
  std::size_t first = 0;             // of all commands, the first that it runs
  std::size_t workers = 0;
  std::size_t chunk = 1;
  std::size_t elements = 0;
};

// Who ends the workers when nobody wants them any more: the plugin, or the end of the input of the
// launch, which it keeps open for as long.
enum class WorkersEnd { by_plugin, with_input };

// The program that a line of a shell begins with: "Rscript -e 1" is Rscript.
std::string program_of(std::string_view command);

// `commands`: lines of a shell, one for each worker. A launch holds as many of them as fit into
// one argument of a program, and no chunk is torn apart.
std::vector<CarriedLaunch> carried_launches(const std::vector<std::string>& commands, std::size_t chunk,
                                            WorkersEnd end = WorkersEnd::by_plugin);

}  // namespace tenkai
