#include "launcher/template/template.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "launcher/profile/nearest.h"
#include "launcher/profile/value.h"
#include "launcher/template/directives.h"
#include "launcher/template/launch_keys.h"
#include "launcher/template/placeholder.h"
#include "launcher/template/shell.h"
#include "launcher/template/shell_position.h"

namespace tenkai {
namespace {

using Texts = std::vector<std::string>;

// Words that the shell would take for its own, or for an assignment, where a command
// may stand.
bool needs_quotes_as_command(std::string_view word) {
  static const Texts own = {"if",   "then", "elif", "else",   "fi",   "for",      "in",     "while", "do",
                            "done", "case", "esac", "select", "time", "function", "coproc", "until"};
  return word.find('=') != word.npos || std::ranges::find(own, word) != own.end();
}

std::string shell_value(const std::string& value) {
  std::string word = sh_word(value);
  return word == value && needs_quotes_as_command(value) ? "'" + value + "'" : word;
}

// The first line of a text that sbatch would, or people might, take for a directive.
std::optional<std::string> find_hidden_directive(std::string_view text) {
  for (std::string_view line : split(text, '\n')) {
    if (looks_like_directive(line)) return printable(line);
  }
  return std::nullopt;
}

bool is_blank_or_end(std::string_view line, std::size_t at) {
  return at >= line.size() || std::string_view(" \t;&|()<>").find(line[at]) != std::string_view::npos;
}

bool stands_alone(std::string_view line, const Placeholder& placeholder) {
  return (placeholder.begin == 0 || is_blank_or_end(line, placeholder.begin - 1)) &&
         is_blank_or_end(line, placeholder.end);
}

// A value in the middle of words that sbatch is to read: no template holds these bytes.
std::string stand_in(std::size_t index) { return "\x01" + std::to_string(index) + "\x02"; }

class Renderer {
 public:
  Renderer(std::string_view name, const TemplateValues& values) : name_(name), values_(values) {}

  Result<JobScript> render(std::string_view text);

 private:
  struct Filled {
    Placeholder placeholder;
    const ProfileKey* key = nullptr;
    Texts texts;
  };

  Result<Done> check_template(std::string_view text) const;
  Result<Done> render_line();
  Result<Done> render_directive(std::vector<Filled> filled);
  Result<Done> add_directive(const std::vector<Filled>& filled);
  Result<Done> render_shell(const std::vector<Filled>& filled);
  Result<Done> render_script(const Filled& filled);
  Result<std::string> words_for_shell(const Filled& filled) const;
  Result<std::optional<std::vector<Filled>>> fill(const std::vector<Placeholder>& placeholders) const;
  Result<Texts> texts_of(const Placeholder& placeholder, const ProfileKey*& key) const;
  Result<Done> check_texts(const std::string& path, const ProfileKey* key, const Texts& texts) const;
  Result<Done> check_literal(bool is_directive) const;
  Error unknown(std::string_view key) const;
  Error error(const std::string& what) const;
  void add(std::string_view line);

  std::string name_;
  const TemplateValues& values_;
  JobScript script_;
  ShellPosition position_;
  std::string_view line_;
  std::size_t number_ = 0;
  std::size_t placeholders_ = 0;
  bool after_command_ = false;
};

Error Renderer::error(const std::string& what) const {
  return {printable(name_) + ":" + std::to_string(number_) + ": " + what +
          "; the line is: " + printable(line_)};
}

Error Renderer::unknown(std::string_view key) const {
  std::string near = nearest(key, template_key_names());
  return error(
      "there is no key '" + printable(key) + "'; " +
      (near.empty() ? "docs/templates.md lists those that there are" : "did you mean '" + near + "'?"));
}

void Renderer::add(std::string_view line) {
  script_.text += line;
  script_.text += '\n';
}

Result<Done> Renderer::check_template(std::string_view text) const {
  std::string name = printable(name_);
  if (text.size() > max_template_bytes)
    return Error{name + ": the template is larger than 1 MiB; make it shorter"};
  if (!text.starts_with("#!")) {
    return Error{name +
                 ":1: sbatch takes only scripts that begin with '#!'; begin the template with '#!/bin/bash'"};
  }
  std::optional<std::size_t> wrong = find_unprintable(text);
  std::size_t carriage_return = text.find('\r');
  if (!wrong && carriage_return == text.npos) return Done{};
  std::size_t at = std::min(wrong.value_or(text.npos), carriage_return);
  auto line = std::ranges::count(text.substr(0, at), '\n') + 1;
  return Error{name + ":" + std::to_string(line) +
               ": the template holds a control character, or what is no UTF-8; take it out (line ends are "
               "'\\n' alone)"};
}

Result<JobScript> Renderer::render(std::string_view text) {
  if (Result<Done> checked = check_template(text); !checked) return checked.error();
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (std::string_view line : split(text, '\n')) {
    line_ = line;
    if (++number_ > max_template_lines) return error("the template has too many lines; make it shorter");
    if (Result<Done> rendered = render_line(); !rendered) return rendered.error();
    if (script_.text.size() > max_script_bytes) {
      return error(
          "the job script becomes larger than 4 MiB, which Slurm does not take; make the values shorter");
    }
  }
  Result<Texts> directives = directives_of(script_.text);
  if (!directives) return Error{printable(name_) + ": " + directives.error().message};
  if (*directives != script_.directives) {
    return Error{
        printable(name_) +
        ": sbatch would read other directives from the job script than the template has; write each option "
        "on a #SBATCH line of its own"};
  }
  return std::move(script_);
}

Result<Done> Renderer::render_line() {
  bool is_directive = line_.starts_with(directive_mark) && position_.is_between_lines();
  if (Result<Done> checked = check_literal(is_directive); !checked) return checked;
  Result<std::vector<Placeholder>> placeholders = find_placeholders(line_);
  if (!placeholders) return error(placeholders.error().message);
  placeholders_ += placeholders->size();
  if (placeholders_ > max_placeholders) return error("the template has too many values; make it shorter");
  Result<std::optional<std::vector<Filled>>> filled = fill(*placeholders);
  if (!filled) return filled.error();
  bool is_left_out = !filled->has_value();
  if (is_left_out && !position_.is_between_lines()) {
    return error(
        "a line that goes on from the one before cannot be left out; put the value on a line of its own");
  }
  if (is_left_out && line_.ends_with('\\')) {
    return error(
        "a line that goes on in the next one cannot be left out; put the value on a line of its own");
  }
  if (is_left_out) return Done{};
  return is_directive ? render_directive(std::move(**filled)) : render_shell(**filled);
}

// What the template itself says, before any value.
Result<Done> Renderer::check_literal(bool is_directive) const {
  if (!looks_like_directive(line_)) return Done{};
  if (!is_directive)
    return error(
        "sbatch does not read this line as you mean it: only lines that begin with '#SBATCH', above all "
        "commands, are its options");
  if (after_command_) return error("sbatch reads no #SBATCH line behind the first command; put it above");
  return Done{};
}

// Nothing where the line is left out.
Result<std::optional<std::vector<Renderer::Filled>>> Renderer::fill(
    const std::vector<Placeholder>& placeholders) const {
  std::vector<Filled> filled;
  bool is_left_out = false;
  for (const Placeholder& placeholder : placeholders) {
    const ProfileKey* key = nullptr;
    Result<Texts> texts = texts_of(placeholder, key);
    if (!texts) return texts.error();
    is_left_out = is_left_out || texts->empty();
    filled.push_back({placeholder, key, std::move(*texts)});
  }
  if (is_left_out) return std::optional<std::vector<Filled>>();
  return std::optional<std::vector<Filled>>(std::move(filled));
}

// None where the key is not set and the line is left out.
Result<Texts> Renderer::texts_of(const Placeholder& placeholder, const ProfileKey*& key) const {
  std::string path(placeholder.key);
  auto set = values_.find(path);
  key = find_template_key(path);
  if (key == nullptr && set == values_.end()) return unknown(path);
  Texts texts;
  if (set != values_.end()) texts = set->second;
  std::string_view otherwise = placeholder.otherwise;
  if (!placeholder.has_default && key != nullptr) otherwise = key->otherwise;
  if (texts.empty() && !otherwise.empty()) texts = {std::string(otherwise)};
  if (texts.empty() && !placeholder.is_optional()) {
    return error("'" + path + "' has no value; set it, or write '{{ " + path + " | default }}'");
  }
  if (Result<Done> checked = check_texts(path, key, texts); !checked) return checked.error();
  return texts;
}

Result<Done> Renderer::check_texts(const std::string& path, const ProfileKey* key, const Texts& texts) const {
  for (const std::string& text : texts) {
    if (text.find('\0') != text.npos || text.find('\r') != text.npos) {
      return error("the value of '" + path +
                   "' holds a NUL or a carriage return, which sbatch refuses; take it out");
    }
    if (std::optional<std::string> hidden = find_hidden_directive(text)) {
      return error("the value of '" + path + "' holds '" + *hidden +
                   "', which is no option there, or one that nobody means; put it into slurm.options");
    }
    if (key == nullptr || key->type != KeyType::count) continue;
    if (std::optional<std::string> wrong = complaint_about(*key, text))
      return error("'" + path + "' " + *wrong);
  }
  return Done{};
}

Result<Done> Renderer::render_directive(std::vector<Filled> filled) {
  std::string before;
  std::size_t end = directive_mark.size();
  for (const Filled& each : filled) {
    if (each.key != nullptr && each.key->type == KeyType::script) {
      return error("'" + std::string(each.placeholder.key) + "' is shell code, no option");
    }
    before += std::string(line_.substr(end, each.placeholder.begin - end));
    end = each.placeholder.end;
    if (auto why = no_place_in_directive(before)) return error("a value cannot stand " + *why + " here");
    before += 'x';
  }
  bool is_list =
      filled.size() == 1 &&
      trim(line_.substr(directive_mark.size())) ==
          line_.substr(filled[0].placeholder.begin, filled[0].placeholder.end - filled[0].placeholder.begin);
  if (!is_list) return add_directive(filled);
  for (const std::string& text : Texts(filled[0].texts)) {
    filled[0].texts = {text};
    if (Result<Done> added = add_directive(filled); !added) return added;
  }
  return Done{};
}

Result<Done> Renderer::add_directive(const std::vector<Filled>& filled) {
  std::string line, meant;
  std::size_t end = 0;
  for (const Filled& each : filled) {
    if (each.texts.size() != 1) {
      return error("'" + std::string(each.placeholder.key) + "' has " + std::to_string(each.texts.size()) +
                   " values; write '#SBATCH {{ " + std::string(each.placeholder.key) +
                   " }}' and nothing else on the line");
    }
    Result<std::string> word = directive_word(each.texts[0]);
    if (!word) return error(word.error().message);
    std::string_view literal = line_.substr(end, each.placeholder.begin - end);
    line += std::string(literal) + *word;
    meant += std::string(literal) + stand_in(static_cast<std::size_t>(&each - filled.data()));
    end = each.placeholder.end;
  }
  line += line_.substr(end);
  meant += line_.substr(end);
  Result<Texts> words = words_of_directive(std::string_view(meant).substr(directive_mark.size()));
  if (!words) return error(words.error().message);
  for (std::string& word : *words) {
    for (std::size_t index = 0; index < filled.size(); ++index) {
      std::size_t at = word.find(stand_in(index));
      if (at != word.npos) word.replace(at, stand_in(index).size(), filled[index].texts[0]);
    }
    script_.directives.push_back(word);
  }
  add(line);
  return Done{};
}

Result<Done> Renderer::render_shell(const std::vector<Filled>& filled) {
  if (filled.size() == 1 && filled[0].key != nullptr && filled[0].key->type == KeyType::script) {
    return render_script(filled[0]);
  }
  std::string line;
  std::size_t end = 0;
  for (const Filled& each : filled) {
    std::string_view literal = line_.substr(end, each.placeholder.begin - end);
    line += literal;
    position_.read(literal);
    end = each.placeholder.end;
    if (auto why = position_.no_place()) {
      return error("a value cannot stand " + *why + "; write it as a word of its own, outside of that");
    }
    Result<std::string> words = words_for_shell(each);
    if (!words) return words.error();
    line += *words;
    position_.read("x");
  }
  line += line_.substr(end);
  position_.read(line_.substr(end));
  position_.read("\n");
  after_command_ = after_command_ || is_command(line);
  add(line);
  return Done{};
}

Result<std::string> Renderer::words_for_shell(const Filled& filled) const {
  std::string key(filled.placeholder.key);
  if (filled.key != nullptr && filled.key->type == KeyType::script) {
    return error("'" + key + "' is shell code: write '{{ " + key + " }}' and nothing else on the line");
  }
  if (filled.texts.size() > 1 && !stands_alone(line_, filled.placeholder)) {
    return error("'" + key + "' has " + std::to_string(filled.texts.size()) +
                 " values and cannot be part of a word; put blanks around it");
  }
  Texts words;
  for (const std::string& text : filled.texts) words.push_back(shell_value(text));
  return join(words, " ");
}

Result<Done> Renderer::render_script(const Filled& filled) {
  std::string_view placeholder =
      line_.substr(filled.placeholder.begin, filled.placeholder.end - filled.placeholder.begin);
  if (trim(line_) != placeholder) return words_for_shell(filled).error();
  if (!position_.is_between_lines())
    return error("shell code cannot stand here; put it on a line between two commands");
  for (std::string_view text : filled.texts) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    add(text);
    for (std::string_view line : split(text, '\n')) after_command_ = after_command_ || is_command(line);
  }
  return Done{};
}

}  // namespace

Result<JobScript> render_template(std::string_view name, std::string_view text,
                                  const TemplateValues& values) {
  return Renderer(name, values).render(text);
}

}  // namespace tenkai
