// Single items: what each type is followed by, and where it may stand.
#include <cstdint>
#include <cstring>
#include <string_view>

#include "scan_walk.h"

namespace tenkai::serialization {

namespace {

// R's own limits: a symbol's name, and that of an encoding.
constexpr std::uint64_t longest_name = 10000;
constexpr std::uint64_t longest_encoding = 63;
constexpr std::uint64_t longest_builtin = 100;

}  // namespace

void Scanner::read_header() {
  std::string_view format = cursor_.take(2);
  if (format == "X\n") {
    cursor_.swap();
  } else if (format != "B\n") {
    throw Refused{"it is not in R's binary format"};
  }
  std::int32_t version = cursor_.number();
  if (version != 2 && version != 3) throw Refused{"it is not in version 2 or 3 of R's format"};
  cursor_.take(2 * sizeof(std::int32_t));
  if (version == 2) return;
  std::uint64_t size = cursor_.count(1);
  if (size > longest_encoding) throw Refused{"the name of its encoding is too long"};
  for (char c : cursor_.take(size)) {
    if (c <= ' ' || c > '~') throw Refused{"the name of its encoding is not a name"};
  }
}

// The blocks of the value follow, then shared ones, unless these are elsewhere.
void Scanner::end_blocks() {
  std::uint64_t end = cursor_.position();
  verdict_.blocks = aligned(end);
  if (blocks_end_ > 0) end = verdict_.blocks + blocks_end_;
  verdict_.shared = aligned(end);
  if (shared_end_ > 0 && elsewhere_.empty()) end = verdict_.shared + shared_end_;
  bool all = elsewhere_.empty() || shared_ == elsewhere_.size();
  if (end != cursor_.size() || !all || cursor_.is_swapped())
    throw Refused{"the numbers of its large vectors are not there"};
}

// What its hooks are given follows.
void Scanner::end_value() {
  bool follows = cursor_.left() > 2 && cursor_.here()[1] == '\n';
  if (!follows) throw Refused{"bytes follow the end of the value"};
  if (data_only_) throw Refused{beyond_data(persistent), true};
  verdict_.section = cursor_.position();
}

// --- items ---

// What may not stand here whatever it holds.
void Scanner::admit(std::int32_t flags, Role role) const {
  Type type = type_of(flags);
  bool good = true;
  switch (role) {
    case Role::value: good = loose_ > 0 || (type != promise && type != unbound_value && type != chars); break;
    case Role::binding: good = type != chars; break;
    case Role::tag: good = type == nothing || type == symbol || type == reference; break;
    case Role::name: good = type == symbol || type == reference; break;
    case Role::surrounding:
    case Role::enclosure:
      good = is_environment(type) || type == nothing || type == reference || type == persistent;
      break;
    case Role::bindings:
    case Role::formals: good = type == nothing || (type == pairlist && !has_attributes(flags)); break;
    case Role::table: good = type == nothing || (type == list && !has_attributes(flags)); break;
    case Role::tail: good = loose_ > 0 || type == nothing; break;
  }
  if (!good && type == promise) throw Refused{"it holds a promise where values are"};
  if (!good) throw Refused{"it has something where R has something else"};
  if (!data_only_ || role == Role::tag || role == Role::name) return;
  if (const char* what = beyond_data(type)) throw Refused{what, true};
  // A vector can be one, too. Those of a reference are the bits of its number.
  if (is_s4(flags) && type != reference) throw Refused{beyond_data(s4_object), true};
}

bool Scanner::read(std::int32_t flags, Role role) {
  Type type = type_of(flags);
  bool welcome = role == Role::value && is_vector(type) && type != expression && !is_s4(flags);
  if (!welcome) admit(flags, role);
  switch (type) {
    case logical:
    case integer:
    case real:
    case complex:
    case raw: return read_numbers(flags, number_size(type));
    case strings: return read_strings(flags);
    case list:
      return open_elements(flags, Shape::elements, role == Role::table ? Role::bindings : Role::value);
    case expression: return open_elements(flags, Shape::elements, Role::value);
    case nothing:
    case missing_argument:
    case unbound_value:
    case global_environment:
    case base_environment:
    case empty_environment:
    case base_namespace: return finish({type, 0});
    case reference: return refer(flags, role);
    case symbol: read_symbol(flags); return finish({symbol, 0});
    case chars: read_chars(flags); return finish({chars, 1});
    case pairlist:
    case call:
    case closure:
    case promise:
    case dots: return open_pairs(flags, role);
    case environment: return open_environment(role);
    case package:
    case name_space:
      verdict_.runs_code = true;
      read_spec();
      return remember(Word::an_environment, type);
    case pointer: return open_pointer(flags);
    case weak_reference: remember(Word::an_object, type); return finish(flags, {type, 0});
    case special:
    case builtin: read_builtin(flags); return finish({type, 0});
    case s4_object: return finish(flags, {type, 0});
    case altrep: return open_altrep(flags);
    case bytecode:
      verdict_.runs_code = true;
      return open_code(flags, static_cast<std::uint32_t>(cursor_.count(4)));
    case persistent: return read_mark(flags, role);
    default: throw Refused{"it holds something of a type that R does not have"};
  }
}

// What is complete but for its attributes.
bool Scanner::finish(std::int32_t flags, const Item& item) {
  if (!has_attributes(flags)) return finish(item);
  return open_attributes(item, is_vector(item.type) && !is_s4(flags));
}

bool Scanner::read_numbers(std::int32_t flags, std::uint64_t bytes_each) {
  std::uint64_t length = cursor_.length(bytes_each);
  Item item{type_of(flags), length};
  item.numbers = cursor_.take(length * bytes_each).data();
  return finish(flags, item);
}

bool Scanner::read_strings(std::int32_t flags) {
  std::uint64_t length = cursor_.length(8);
  for (std::uint64_t i = 0; i < length; ++i) read_chars(cursor_.number());
  return finish(flags, {strings, length});
}

void Scanner::read_chars(std::int32_t flags) {
  if (type_of(flags) != chars || has_attributes(flags)) throw Refused{"it has no string where one must be"};
  std::int32_t size = cursor_.number();
  if (size == -1) return;  // NA
  if (size < 0) throw Refused{"it announces a negative length"};
  std::string_view text = cursor_.take(static_cast<std::uint32_t>(size));
  if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
    throw Refused{"it has a null byte within a string"};
  }
}

// The string of a symbol.
std::string_view Scanner::read_name() {
  std::int32_t flags = cursor_.number();
  const char* from = cursor_.here() + sizeof(std::int32_t);
  read_chars(flags);
  auto size = static_cast<std::size_t>(cursor_.here() - from);
  if (size == 0 || size > longest_name) throw Refused{"it has a name that is empty or too long"};
  return {from, size};
}

Word Scanner::read_symbol(std::int32_t flags) {
  if (type_of(flags) == reference) {
    refer(flags, Role::tag);
    return references_[static_cast<std::uint32_t>(last_.first)];
  }
  if (type_of(flags) != symbol) throw Refused{"it has no symbol where one must be"};
  references_.push_back(word_of(read_name()));
  return references_.back();
}

bool Scanner::remember(Word word, Type type) {
  references_.push_back(word);
  return finish({type, 0});
}

bool Scanner::refer(std::int32_t flags, Role role) {
  auto index = static_cast<std::uint32_t>(flags) >> 8;
  if (index == 0) index = static_cast<std::uint32_t>(cursor_.number());
  if (index == 0 || index > references_.size()) throw Refused{"it refers to what has not come"};
  Word word = references_[index - 1];
  bool must_be_environment = role == Role::surrounding || role == Role::enclosure;
  bool is_made = word == Word::a_made_environment;
  if (must_be_environment && word != Word::an_environment && !is_made) {
    throw Refused{"it has no environment where one must be"};
  }
  if (must_be_environment && is_made) verdict_.must_enclose = true;
  bool must_be_symbol = role == Role::tag || role == Role::name;
  if (must_be_symbol && !is_symbol(word)) throw Refused{"it has no symbol where one must be"};
  if (data_only_ && !must_be_symbol) throw Refused{"code", true};
  // R would look for a variable in such a circle for ever.
  if (role == Role::enclosure && index > stack_.back().chain && !is_made) {
    throw Refused{"it holds an environment that encloses itself"};
  }
  Item item{is_symbol(word) ? symbol : word == Word::an_environment ? environment : pointer, 0};
  item.first = static_cast<std::int32_t>(index - 1);
  return finish(item);
}

// A mark for an object that a hook makes: "e" where it was an environment, else "p". The
// object is complete when R comes to its mark.
bool Scanner::read_mark(std::int32_t flags, Role role) {
  if (flags != persistent || cursor_.number() != 0 || cursor_.number() != 1) {
    throw Refused{"it refers to something outside of it"};
  }
  std::string_view kind = read_name();
  bool is_environment = kind == "e";
  if (!is_environment && kind != "p") throw Refused{"it refers to something outside of it"};
  if (role == Role::surrounding || role == Role::enclosure) {
    if (!is_environment) throw Refused{"it has no environment where one must be"};
    verdict_.must_enclose = true;
  }
  verdict_.runs_code = true;
  ++verdict_.made;
  return remember(is_environment ? Word::a_made_environment : Word::an_object, persistent);
}

void Scanner::read_builtin(std::int32_t flags) {
  // R would give them to its own one.
  if (has_attributes(flags)) throw Refused{"it gives attributes to a builtin function"};
  std::uint64_t size = cursor_.count(1);
  if (size > longest_builtin) throw Refused{"the name of a builtin function is too long"};
  cursor_.take(size);
}

// The name (and version) of a package.
void Scanner::read_spec() {
  if (cursor_.number() != 0) throw Refused{"it names a package in a way that R does not know"};
  std::uint64_t length = cursor_.count(8);
  if (length == 0 || length > 8) throw Refused{"it names a package in a way that R does not know"};
  for (std::uint64_t i = 0; i < length; ++i) read_name();
}

}  // namespace tenkai::serialization
