#include "launcher/profile/nearest.h"

#include <algorithm>

namespace tenkai {
namespace {

// Longer ones are nobody's misspelling.
constexpr std::size_t max_name = 64;

std::size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> edits(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) edits[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) edits[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t changed = edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      edits[i][j] = std::min({edits[i - 1][j] + 1, edits[i][j - 1] + 1, changed});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) edits[i][j] = std::min(edits[i][j], edits[i - 2][j - 2] + 1);
    }
  }
  return edits[a.size()][b.size()];
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string text;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') text += static_cast<char>(c - 'A' + 'a');
    else text += c == '_' ? '-' : c;
  }
  return text;
}

std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > max_name) return "";
  std::string best;
  std::size_t fewest = std::min<std::size_t>(3, std::max<std::size_t>(1, name.size() / 3)) + 1;
  for (const std::string& each : known) {
    if (each.size() > max_name) continue;
    std::size_t edits = edits_between(folded_name(name), folded_name(each));
    if (edits < fewest) {
      fewest = edits;
      best = each;
    }
  }
  return best;
}

}  // namespace tenkai
