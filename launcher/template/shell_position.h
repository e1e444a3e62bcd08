// Where in a shell script a place is: where a word may stand, or within quotes, in a
// comment, in a here-document, ….
//
// It reads a template from its begin, as bash would, but knows less than bash: where
// it is in doubt (`((` may be arithmetic or two subshells) it says that no word may
// stand there. A value that is quoted for a word would be something else in all these
// places: '$(…)' within double quotes is run.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenkai {

class ShellPosition {
 public:
  void read(std::string_view text);

  // Why no word can stand here, "within quotes"; nothing where one can.
  std::optional<std::string> no_place() const;
  // Whether a new line here is a line of its own: nothing is open, nothing continued.
  bool is_between_lines() const;

 private:
  struct HereDocument {
    std::string end;
    bool without_tabs = false;
  };

  void take(char c);
  void take_in_document(char c);
  bool take_delimiter(char c);
  void take_in_quotes(char c);
  void take_in_arithmetic(char c);
  void take_in_code(char c);
  void look_for_case(char c);
  void count_less_than(char c);
  void open(char kind) { open_.push_back(kind); }
  void close() { open_.pop_back(); }
  char innermost() const { return open_.empty() ? ' ' : open_.back(); }
  bool word_begins() const;

  // What is open, from outside: ' " ` as they are, $ for $'', ( for a sub-shell, S for
  // $( and what is a part of a word as it is, { for ${, A for $((, C for ((, a for a
  // parenthesis in these, B for $[, [ for an index.
  std::string open_;
  char previous_ = '\n';
  bool escaped_ = false;
  bool is_joined_ = false;  // with the line before, by a backslash at its end
  bool in_comment_ = false;
  int less_thans_ = 0;
  std::string word_;
  bool is_lost_ = false;

  bool in_delimiter_ = false;
  char delimiter_quote_ = 0;
  HereDocument coming_;
  std::vector<HereDocument> documents_;  // those whose text begins with the next line
  bool in_document_ = false;
  std::string document_line_;
};

}  // namespace tenkai
