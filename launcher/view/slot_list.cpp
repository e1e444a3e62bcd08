#include "launcher/view/slot_list.h"

#include "base/text.h"

namespace tenkai {

std::string list_of(const std::vector<std::size_t>& numbers) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    pieces.push_back(std::to_string(numbers[i]) + (last > i ? "-" + std::to_string(numbers[last]) : ""));
    i = last + 1;
  }
  return join(pieces, ", ");
}

std::string daemons_in_words(const std::vector<std::size_t>& numbers) {
  return (numbers.size() == 1 ? "daemon " : "daemons ") + list_of(numbers);
}

}  // namespace tenkai
