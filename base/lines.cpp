#include "base/lines.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {

std::string escape_line(std::string_view value) {
  std::string escaped;
  for (char c : value) {
    if (c == '%') escaped += "%25";
    else if (c == '\n') escaped += "%0A";
    else if (c == '\r') escaped += "%0D";
    else if (c == '\t') escaped += "%09";
    else escaped += c;
  }
  return escaped;
}

std::string unescape_line(std::string_view value) {
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string_view code = value.substr(i, 3);
    char decoded = code == "%25"   ? '%'
                   : code == "%0A" ? '\n'
                   : code == "%0D" ? '\r'
                   : code == "%09" ? '\t'
                                   : 0;
    text += decoded != 0 ? decoded : value[i];
    if (decoded != 0) i += 2;
  }
  return text;
}

std::string line_of(std::string_view key, std::string_view value) {
  return std::string(key) + "=" + escape_line(value) + "\n";
}

Result<Done> read_lines(std::string_view text, const ReadField& read) {
  for (std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    std::size_t equals = std::min(line.find('='), line.size());
    std::string_view value = line.substr(std::min(equals + 1, line.size()));
    Result<Done> done = read(line.substr(0, equals), unescape_line(value));
    if (!done) return done;
  }
  return Done{};
}

bool split_pair(std::string_view text, std::string& name, std::string& value) {
  std::size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) return false;
  name = text.substr(0, equals);
  value = text.substr(equals + 1);
  return true;
}

std::string row_of(std::initializer_list<std::string_view> values) {
  std::string row;
  for (std::string_view value : values) row.append(escape_line(value)).append("\t");
  if (!row.empty()) row.back() = '\n';
  return row;
}

std::vector<std::string> read_row(std::string_view line) {
  std::vector<std::string> values;
  for (std::string_view field : split(line, '\t')) values.push_back(unescape_line(field));
  return values;
}

}  // namespace tenkai
