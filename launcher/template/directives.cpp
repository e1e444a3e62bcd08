#include "launcher/template/directives.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace tenkai {
namespace {

// What sbatch takes for directives, too, and reads beyond the first command.
constexpr std::array<std::string_view, 3> foreign_marks = {"#SLURM", "#PBS", "#BSUB"};

// Their place is between the parts of a job of several kinds of nodes.
constexpr std::array<std::string_view, 2> blotted = {"hetjob", "packjob"};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_with_folded(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

bool holds_blotted(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (std::string_view word : blotted) {
      if (starts_with_folded(text.substr(at), word)) return true;
    }
  }
  return false;
}

// Whether sbatch would blot out a word that ends in the "job" at `at`.
bool ends_blotted(std::string_view text, std::size_t at) {
  return std::ranges::any_of(blotted, [&](std::string_view word) {
    std::size_t before = word.size() - 3;
    return at >= before && starts_with_folded(text.substr(at - before), word);
  });
}

bool is_plain(char c) {
  bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter_or_digit || std::string_view("_./:@%+,=-").find(c) != std::string_view::npos;
}

// sbatch's reader of one line. `quote_` is the quote that is open, 0 where there is none.
class Reader {
 public:
  explicit Reader(std::string_view line) : line_(line) {}

  // False at the end of the line, and where a comment begins.
  bool next(std::string& word) {
    while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
    word.clear();
    begin_ = at_;
    for (; at_ < line_.size() && (quote_ != 0 || !is_blank(line_[at_])); ++at_) {
      if (!take(line_[at_], word)) break;
    }
    // It forgets an escape with the word in which it stands.
    ends_in_escape_ = std::exchange(escaped_, false);
    return at_ > begin_;
  }

  bool in_quotes() const { return quote_ != 0; }
  bool in_comment() const { return in_comment_; }
  bool ends_in_escape() const { return ends_in_escape_; }
  char first() const { return line_[begin_]; }

 private:
  // False where a comment begins.
  bool take(char c, std::string& word) {
    if (escaped_) {
      escaped_ = false;
      word += c;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (quote_ != 0 && c == quote_) {
      quote_ = 0;
    } else if (quote_ == 0 && (c == '"' || c == '\'')) {
      quote_ = c;
    } else if (quote_ == 0 && c == '#') {
      in_comment_ = true;
      return false;
    } else {
      word += c;
    }
    return true;
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  char quote_ = 0;
  bool escaped_ = false;
  bool ends_in_escape_ = false;
  bool in_comment_ = false;
};

std::string_view without_indent(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && is_blank(line[at])) ++at;
  return line.substr(at);
}

std::string at_line(std::size_t number, const std::string& what, std::string_view line) {
  return "line " + std::to_string(number) + " of the job script: " + what +
         "; the line is: " + printable(line);
}

// Why a line that looks like a directive would not be read as one.
std::optional<std::string> why_not_read(std::string_view line, bool after_command) {
  for (std::string_view mark : foreign_marks) {
    if (line.starts_with(mark)) {
      return "sbatch reads " + std::string(mark) + " lines as options of its own; take it out";
    }
  }
  if (!line.starts_with(directive_mark)) return "#SBATCH must stand at the begin of its line";
  if (after_command) {
    return "sbatch reads no #SBATCH line behind the first command; put it above, or into slurm.options";
  }
  std::string_view rest = line.substr(directive_mark.size());
  if (!rest.empty() && !is_blank(rest.front())) return "a blank must follow #SBATCH";
  return std::nullopt;
}

}  // namespace

Result<std::string> directive_word(std::string_view value) {
  if (find_unprintable(value) || value.find_first_of("\r\n\t") != value.npos ||
      value.find('\0') != value.npos) {
    return Error{"'" + printable(value) +
                 "' cannot stand on a #SBATCH line: it holds a line end, a control character or what is no "
                 "UTF-8; take that out"};
  }
  bool plain = !value.empty() && value.front() != ':' && std::ranges::all_of(value, is_plain);
  std::string word = plain ? "" : "\"";
  for (std::size_t at = 0; at < value.size(); ++at) {
    if (value[at] == '"' || value[at] == '\\' || ends_blotted(value, at)) word += '\\';
    word += value[at];
  }
  return plain ? word : word + '"';
}

Result<std::vector<std::string>> words_of_directive(std::string_view line) {
  if (holds_blotted(line)) {
    return Error{
        "sbatch takes 'hetjob' and 'packjob', wherever they stand, for the border between parts of a job, "
        "and daemons have one part; take it out"};
  }
  std::vector<std::string> words;
  Reader reader(line);
  for (std::string word; reader.next(word);) {
    if (reader.in_comment() && word.empty()) break;
    if (reader.in_quotes()) return Error{"a quote is not closed; close it"};
    if (reader.ends_in_escape()) {
      return Error{"sbatch ignores a backslash at the end of a word; put what has blanks into quotes"};
    }
    if (reader.first() == ':') return Error{"a word cannot begin with ':'; put it into quotes"};
    if (word.empty()) return Error{"sbatch stops reading at an empty word; take it out"};
    words.push_back(word);
    if (reader.in_comment()) break;
  }
  return words;
}

std::optional<std::string> no_place_in_directive(std::string_view beginning) {
  Reader reader(beginning);
  for (std::string word; reader.next(word) && !reader.in_comment();) {}
  if (reader.in_comment()) return "in a comment";
  if (reader.in_quotes()) return "within quotes";
  if (beginning.ends_with('\\')) return "behind a backslash";
  return std::nullopt;
}

bool looks_like_directive(std::string_view line) {
  return without_indent(line).starts_with(directive_mark) ||
         std::ranges::any_of(foreign_marks, [&](std::string_view mark) { return line.starts_with(mark); });
}

bool is_command(std::string_view line) {
  std::string_view text = without_indent(line);
  return !text.empty() && text.front() != '#';
}

Result<std::vector<std::string>> directives_of(std::string_view script) {
  std::vector<std::string> directives;
  bool after_command = false;
  std::size_t number = 0;
  for (std::string_view line : split(script, '\n')) {
    ++number;
    after_command = after_command || is_command(line);
    if (!looks_like_directive(line)) continue;
    if (std::optional<std::string> why = why_not_read(line, after_command)) {
      return Error{at_line(number, *why, line)};
    }
    Result<std::vector<std::string>> words = words_of_directive(line.substr(directive_mark.size()));
    if (!words) return Error{at_line(number, words.error().message, line)};
    directives.insert(directives.end(), words->begin(), words->end());
  }
  return directives;
}

}  // namespace tenkai
