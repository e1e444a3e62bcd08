#include "base/text.h"

#include <cassert>

namespace tenkai {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_plain(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || std::string_view("_@%+:,./-").find(c) != std::string_view::npos;
}

// A letter of base64url, in which credentials are written.
bool is_word(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || c == '_' || c == '-';
}

// `A=b` as the first word of a line is an assignment, `--a=b` never is.
bool needs_quotes(std::string_view word) {
  if (word.empty()) return true;
  bool option = word.front() == '-';
  for (char c : word) {
    if (!is_plain(c) && !(option && c == '=')) return true;
  }
  return false;
}

// The length of the UTF-8 character at the front of `text`, or 0 where there is
// none: cut off, longer than it needs to be, a surrogate, beyond U+10FFFF.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                       : first >= 0xE0 && first <= 0xEF ? 3
                       : first >= 0xF0 && first <= 0xF4 ? 4
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) > 0x9F) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) > 0x8F) return 0;
  return length;
}

// U+0000 … U+001F, U+007F and U+0080 … U+009F, which steer terminals too and are two bytes
// long; and U+202A … U+202E, U+2066 … U+2069, which show a text in another order than it has.
bool is_control(std::string_view character) {
  auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  if (character.size() == 2) return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return (character >= "\u202a" && character <= "\u202e") || (character >= "\u2066" && character <= "\u2069");
}

std::string escaped(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  while (true) {
    std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

std::string_view trim(std::string_view text) {
  std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string join(const std::vector<std::string>& pieces, std::string_view separator) {
  std::string joined;
  for (const std::string& piece : pieces) {
    if (&piece != pieces.data()) joined += separator;
    joined += piece;
  }
  return joined;
}

std::string shell_quote(std::string_view word) {
  assert(word.find('\0') == std::string_view::npos);
  if (!needs_quotes(word)) return std::string(word);
  std::string quoted = "'";
  for (char c : word) {
    // Inside single quotes nothing is special but the quote that ends them.
    if (c == '\'') quoted += "'\\''";
    else quoted += c;
  }
  return quoted + "'";
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string shown;
  while (!text.empty()) {
    std::size_t length = utf8_length(text);
    std::string_view character = text.substr(0, length == 0 ? 1 : length);
    std::string next;
    if (length != 0 && !is_control(character)) next = character;
    else
      for (char c : character) next += escaped(c);
    if (shown.size() + next.size() > limit) return shown + "…";
    shown += next;
    text.remove_prefix(character.size());
  }
  return shown;
}

std::optional<std::size_t> find_unprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return at;
    std::string_view character = text.substr(at, length);
    bool line_end = character == "\n" || text.substr(at, 2) == "\r\n";
    if (is_control(character) && character != "\t" && !line_end) return at;
    at += length;
  }
  return std::nullopt;
}

std::string printable_lines(std::string_view text) {
  std::string shown;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    shown += printable(line, line.npos) + "\n";
  }
  return shown + printable(text.substr(begin), text.npos);
}

void keep_last_lines(std::string& text, std::size_t limit) {
  if (text.size() <= limit) return;
  std::size_t cut = text.size() - limit;
  // A line that begins right there is whole, too.
  std::size_t line = text.find('\n', cut - 1);
  if (line != text.npos && line + 1 < text.size()) {
    cut = line + 1;
  } else {
    std::size_t word = cut;
    while (is_word(text[cut - 1]) && word < text.size() && is_word(text[word])) ++word;
    if (word < text.size() && text[word] != '\n') cut = word;
  }
  text.erase(0, cut);
}

std::string in_seconds(std::chrono::milliseconds time) {
  std::string text = std::to_string(time.count() / 1000);
  std::string rest = std::to_string(1000 + time.count() % 1000);
  while (rest.back() == '0') rest.pop_back();
  return text + (rest.size() > 1 ? "." + rest.substr(1) : "") + " s";
}

}  // namespace tenkai
