#include "launcher/template/shell.h"

#include <algorithm>

#include "base/text.h"

namespace tenkai {
namespace {

// csh substitutes '!' within quotes, ends a quoted word at a line end, and some of
// its versions take the eighth bit for a mark of their own.
bool is_plain_everywhere(char c) { return c >= ' ' && c <= '~' && c != '!'; }

bool is_safe_in_octal_text(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || std::string_view(" _@+:,./=-").find(c) != std::string_view::npos;
}

// Some versions of csh take no word beyond 1023 bytes.
constexpr std::size_t longest_word = 900;

// As printf's %b reads it: \0 and three digits for a byte. In quoted words, none of
// them too long for csh.
std::string in_octal(std::string_view text) {
  std::string coded = "'";
  std::size_t begin = coded.size();
  for (char c : text) {
    if (coded.size() - begin > longest_word) {
      coded += "' '";
      begin = coded.size();
    }
    if (is_safe_in_octal_text(c)) {
      coded += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    coded += {'\\', '0', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
              static_cast<char>('0' + (byte & 7))};
  }
  return coded + "'";
}

// As people write it, where every shell reads that: "it's".
std::string quoted_word(std::string_view word) {
  bool doubles = word.find('\'') != word.npos && word.find_first_of("\"$`\\!\n") == word.npos;
  return doubles ? '"' + std::string(word) + '"' : shell_quote(word);
}

}  // namespace

std::string sh_word(std::string_view word) {
  if (word.find('\'') == word.npos) return shell_quote(word);
  std::string quoted = "\"";
  for (char c : word) {
    if (std::string_view("\"$`\\").find(c) != std::string_view::npos) quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string shell_command(const std::vector<std::string>& argv) {
  std::vector<std::string> words;
  for (const std::string& word : argv) words.push_back(quoted_word(word));
  std::string line = join(words, " ");
  bool fits =
      std::all_of(words.begin(), words.end(), [](const auto& word) { return word.size() <= longest_word; });
  if (fits && std::all_of(line.begin(), line.end(), is_plain_everywhere)) return line;
  // Single quotes around what holds none: every shell takes that as it stands. printf
  // writes its arguments one behind the other.
  return "/bin/sh -c 'eval \"`printf %b \"$@\"`\"' sh " + in_octal(line);
}

}  // namespace tenkai
