#include "cli/columns.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + (i + 1 < row.size() ? std::string(widths[i] - row[i].size() + 2, ' ') : "");
    }
    table += line + "\n";
  }
  return table;
}

std::string filled(std::string_view text, std::size_t margin, std::size_t width) {
  std::string lines;
  std::size_t column = margin;
  for (std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    if (column > margin && column + 1 + word.size() > width) {
      lines += "\n" + std::string(margin, ' ');
      column = margin;
    }
    if (column > margin) lines += ' ', ++column;
    lines += word;
    column += word.size();
  }
  return lines;
}

}  // namespace tenkai
