#include "launcher/template/placeholder.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {
namespace {

bool may_be_in_key(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || c == '.' || c == '-' || c == '_';
}

}  // namespace

Result<std::vector<Placeholder>> find_placeholders(std::string_view line) {
  std::vector<Placeholder> found;
  std::size_t end = 0;
  for (std::size_t begin; (begin = line.find("{{", end)) != line.npos;) {
    std::size_t closing = line.find("}}", begin + 2);
    if (closing == line.npos) return Error{"'{{' begins a value, and no '}}' ends it in this line"};
    end = closing + 2;
    std::string_view inside = line.substr(begin + 2, closing - begin - 2);
    std::size_t bar = inside.find('|');
    Placeholder placeholder{begin, end, trim(inside.substr(0, bar)), {}, bar != inside.npos};
    if (placeholder.has_default) placeholder.otherwise = trim(inside.substr(bar + 1));
    if (placeholder.key.empty() || !std::ranges::all_of(placeholder.key, may_be_in_key)) {
      return Error{
          "'{{" + printable(inside) +
          "}}' is no value; write '{{ key }}' or '{{ key | default }}', and '{ {' where braces are meant"};
    }
    found.push_back(placeholder);
  }
  return found;
}

}  // namespace tenkai
