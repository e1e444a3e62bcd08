#include "launcher/template/shell_position.h"

namespace tenkai {
namespace {

bool is_one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

bool may_end_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

void ShellPosition::read(std::string_view text) {
  for (char c : text) take(c);
}

bool ShellPosition::word_begins() const { return is_one_of(previous_, " \t\n;&|()<>"); }

void ShellPosition::take(char c) {
  if (in_document_) return take_in_document(c);
  if (in_delimiter_ && take_delimiter(c)) return;
  is_joined_ = escaped_ && c == '\n';
  if (escaped_) {
    escaped_ = false;
    // Between two lines that are joined there is nothing: '#' may yet begin a word.
    if (c != '\n') previous_ = 'x';
    return;
  }
  if (in_comment_ && c != '\n') return;
  in_comment_ = false;
  char kind = innermost();
  if (is_one_of(kind, "'\"`$")) return take_in_quotes(c);
  if (is_one_of(kind, "AaC")) return take_in_arithmetic(c);
  take_in_code(c);
}

void ShellPosition::take_in_document(char c) {
  if (c != '\n') {
    document_line_ += c;
    return;
  }
  std::size_t tabs = documents_.front().without_tabs ? document_line_.find_first_not_of('\t') : 0;
  bool ends = document_line_.substr(tabs == document_line_.npos ? 0 : tabs) == documents_.front().end;
  document_line_.clear();
  if (ends) documents_.erase(documents_.begin());
  in_document_ = !documents_.empty();
}

// False where the character ends the delimiter and is more than that.
bool ShellPosition::take_delimiter(char c) {
  if (delimiter_quote_ != 0) {
    if (c == delimiter_quote_) delimiter_quote_ = 0;
    else coming_.end += c;
    return true;
  }
  if (is_one_of(c, "'\"")) {
    delimiter_quote_ = c;
    return true;
  }
  if (c == '\\' || (is_one_of(c, " \t") && coming_.end.empty())) return true;
  if (!is_one_of(c, " \t\n;&|<>()")) {
    coming_.end += c;
    return true;
  }
  in_delimiter_ = false;
  documents_.push_back(coming_);
  return false;
}

void ShellPosition::take_in_quotes(char c) {
  char kind = innermost();
  char end = kind == '$' ? '\'' : kind;
  if (c == '\\' && kind != '\'') escaped_ = true;
  else if (c == end) close();
  else if (kind == '"' && c == '`') open('`');
  else if (kind == '"' && previous_ == '$' && is_one_of(c, "({[")) open(c == '[' ? 'B' : c == '(' ? 'S' : c);
  bool is_number = c == '$' && previous_ == '$';  // $$ is a number, and begins nothing
  if (c != '\\' || kind == '\'') previous_ = c == end || is_number ? 'x' : c;
}

void ShellPosition::take_in_arithmetic(char c) {
  if (c == '(') open('a');
  if (c == ')' && innermost() == 'a') {
    close();
    c = 'x';  // not half of what ends it all
  } else if (c == ')' && previous_ == ')') {
    c = innermost() == 'A' ? 'x' : ')';
    close();
  }
  previous_ = c;
}

// << begins a here-document, <<< does not.
void ShellPosition::count_less_than(char c) {
  if (c == '<') {
    ++less_thans_;
    return;
  }
  if (less_thans_ == 2) {
    in_delimiter_ = true;
    coming_ = {"", c == '-'};
  }
  less_thans_ = 0;
}

// The ')' of a pattern cannot be told from that of "$(…)".
void ShellPosition::look_for_case(char c) {
  if (may_end_name(c)) {
    word_ += c;
    return;
  }
  is_lost_ = is_lost_ || (word_ == "case" && open_.find('"') != open_.npos);
  word_.clear();
}

void ShellPosition::take_in_code(char c) {
  count_less_than(c);
  if (in_delimiter_) {
    if (c != '-' && take_delimiter(c)) return;
    if (c == '-') return;
  }
  // In "${x:-it's}" the quote is none.
  bool quotable = innermost() != '{' || open_.find('"') == open_.npos;
  char kind = innermost();
  look_for_case(c);
  if ((kind == '[' && is_one_of(c, "\n]")) || (kind == 'B' && c == ']')) close();
  if (c == '\\') escaped_ = true;
  else if (c == '\'' && quotable) open(previous_ == '$' ? '$' : c);
  else if (c == '"' || c == '`') open(c);
  else if (c == '{' && previous_ == '$') open('{');
  else if (c == '}' && kind == '{') close();
  else if (c == '(' && previous_ == '(' && is_one_of(kind, "(S")) open_.back() = kind == 'S' ? 'A' : 'C';
  else if (c == '(' && (kind != '{' || previous_ == '$')) open(is_one_of(previous_, "$<>=") ? 'S' : '(');
  else if (c == ')' && is_one_of(kind, "(S")) close();
  else if (c == '[' && previous_ == '$') open('B');
  else if (c == '[' && may_end_name(previous_)) open('[');
  else if (c == '#' && word_begins() && kind != '{') in_comment_ = true;
  else if (c == '\n') in_document_ = !documents_.empty();
  // $$ is a number, and a word goes on behind $(…).
  bool is_part = (c == '$' && previous_ == '$') || (c == ')' && kind == 'S');
  if (c != '\\') previous_ = is_part ? 'x' : c;
}

std::optional<std::string> ShellPosition::no_place() const {
  if (in_document_ || in_delimiter_ || less_thans_ == 2) return "in a here-document";
  if (is_lost_) return "behind a 'case' within quotes";
  if (in_comment_) return "in a comment";
  if (escaped_) return "behind a backslash";
  if (open_.find_first_of("'\"$") != open_.npos) return "within quotes";
  if (open_.find('`') != open_.npos) return "within backquotes";
  if (open_.find_first_of("AaBC") != open_.npos) return "in arithmetic";
  if (open_.find('{') != open_.npos) return "within ${ }";
  if (open_.find('[') != open_.npos) return "in an index";
  if (previous_ == '$') return "behind a '$'";
  return std::nullopt;
}

bool ShellPosition::is_between_lines() const {
  return open_.empty() && !is_joined_ && !in_document_ && !in_delimiter_ && documents_.empty();
}

}  // namespace tenkai
