#include "scheduler/size.h"

#include "base/text.h"

namespace tenkai {

std::optional<std::uint32_t> parse_factor(std::string_view text) {
  constexpr std::uint32_t most = 1600;
  if (!text.starts_with('x')) return std::nullopt;
  text.remove_prefix(1);
  std::size_t point = text.find('.');
  auto whole = to_number<std::uint32_t>(text.substr(0, point));
  if (!whole || *whole > most / 100) return std::nullopt;
  std::uint32_t percent = *whole * 100;
  if (point != text.npos) {
    std::string_view digits = text.substr(point + 1);
    auto part = to_number<std::uint32_t>(digits);
    if (!part || digits.size() > 2) return std::nullopt;
    percent += digits.size() == 1 ? *part * 10 : *part;
  }
  if (percent <= 100 || percent > most) return std::nullopt;
  return percent;
}

std::string times_as_much(std::uint32_t percent, std::string_view of_what) {
  std::string number = std::to_string(percent / 100);
  if (std::uint32_t part = percent % 100; part > 0) {
    number += "." + std::to_string(part / 10);
    if (part % 10 > 0) number += std::to_string(part % 10);
  }
  return (percent == 200 ? "twice" : number + " times") + " the " + std::string(of_what);
}

}  // namespace tenkai
