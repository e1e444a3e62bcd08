// The numbers in R's serialization, and the names that mean something to R while
// it reads.
#pragma once

#include <cstdint>
#include <string_view>

namespace tenkai::serialization {

// The lowest byte of an item's first number.
enum Type : std::uint8_t {
  symbol = 1,
  pairlist = 2,
  closure = 3,
  environment = 4,
  promise = 5,
  call = 6,
  special = 7,
  builtin = 8,
  chars = 9,
  logical = 10,
  integer = 13,
  real = 14,
  complex = 15,
  strings = 16,
  dots = 17,
  list = 19,
  expression = 20,
  bytecode = 21,
  pointer = 22,
  weak_reference = 23,
  raw = 24,
  s4_object = 25,
  altrep = 238,
  pairlist_with_attributes = 239,  // these two and the next two: in byte code
  call_with_attributes = 240,
  base_environment = 241,
  empty_environment = 242,
  shared_cell = 243,
  shared_cell_definition = 244,
  persistent = 247,
  package = 248,
  name_space = 249,
  base_namespace = 250,
  missing_argument = 251,
  unbound_value = 252,
  global_environment = 253,
  nothing = 254,
  reference = 255,
};

inline Type type_of(std::int32_t flags) { return static_cast<Type>(flags & 0xFF); }
inline bool has_attributes(std::int32_t flags) { return (flags & 1 << 9) != 0; }
inline bool has_tag(std::int32_t flags) { return (flags & 1 << 10) != 0; }
inline bool is_s4(std::int32_t flags) { return (flags & 1 << 16) != 0; }

inline bool is_pair(Type type) {
  return type == pairlist || type == call || type == closure || type == promise || type == dots;
}
// Whether it is a cell of a list in byte code.
inline bool is_cell(std::int32_t type) {
  return type == call || type == pairlist || type == call_with_attributes || type == pairlist_with_attributes;
}
inline bool is_environment(Type type) {
  return type == environment || type == global_environment || type == base_environment ||
         type == empty_environment || type == base_namespace || type == name_space || type == package;
}
inline bool is_vector(Type type) {
  constexpr std::uint32_t vectors = 1U << logical | 1U << integer | 1U << real | 1U << complex |
                                    1U << strings | 1U << raw | 1U << list | 1U << expression;
  return type < 32 && (vectors >> type & 1) != 0;
}

// The bytes of an element; 0 where the elements are no numbers.
inline std::uint64_t number_size(Type type) {
  switch (type) {
    case logical:
    case integer: return 4;
    case real: return 8;
    case complex: return 16;
    case raw: return 1;
    default: return 0;
  }
}

// What is known of something that can be referred to again.
enum class Word : std::uint8_t {
  other,
  names,
  dim,
  dimnames,
  class_name,
  base,
  compact_integers,
  compact_reals,
  deferred_strings,
  wrapped_logical,
  wrapped_integer,
  wrapped_real,
  wrapped_complex,
  wrapped_strings,
  wrapped_raw,
  wrapped_list,
  tenkai,  // and its own classes (blocks.h)
  block_logical,
  block_integer,
  block_real,
  block_complex,
  block_raw,
  an_environment,  // not a symbol, and neither are the next
  a_made_environment,
  an_object,
};

inline bool is_symbol(Word word) { return word < Word::an_environment; }

inline Word word_of(std::string_view name) {
  struct Known {
    std::string_view name;
    Word word;
  };
  static constexpr Known known[] = {
      {"names", Word::names},
      {"dim", Word::dim},
      {"dimnames", Word::dimnames},
      {"class", Word::class_name},
      {"base", Word::base},
      {"compact_intseq", Word::compact_integers},
      {"compact_realseq", Word::compact_reals},
      {"deferred_string", Word::deferred_strings},
      {"wrap_logical", Word::wrapped_logical},
      {"wrap_integer", Word::wrapped_integer},
      {"wrap_real", Word::wrapped_real},
      {"wrap_complex", Word::wrapped_complex},
      {"wrap_string", Word::wrapped_strings},
      {"wrap_raw", Word::wrapped_raw},
      {"wrap_list", Word::wrapped_list},
      {"tenkai", Word::tenkai},
      {"block_logical", Word::block_logical},
      {"block_integer", Word::block_integer},
      {"block_real", Word::block_real},
      {"block_complex", Word::block_complex},
      {"block_raw", Word::block_raw},
  };
  for (const Known& each : known) {
    if (each.name == name) return each.word;
  }
  return Word::other;
}

// Where the numbers of large vectors begin, that lie behind the value: at the next of these.
inline constexpr std::size_t block_alignment = 4096;
constexpr std::uint64_t aligned(std::uint64_t at) {
  return (at + block_alignment - 1) / block_alignment * block_alignment;
}

// The type of the vectors of one of our ALTREP classes; `nothing` if it is none.
inline Type type_of_block(Word word) {
  switch (word) {
    case Word::block_logical: return logical;
    case Word::block_integer: return integer;
    case Word::block_real: return real;
    case Word::block_complex: return complex;
    case Word::block_raw: return raw;
    default: return nothing;
  }
}

// The type of the vectors of one of R's ALTREP classes; `nothing` if it is none that
// stands for itself.
inline Type type_of(Word word) {
  switch (word) {
    case Word::compact_integers:
    case Word::wrapped_integer: return integer;
    case Word::compact_reals:
    case Word::wrapped_real: return real;
    case Word::deferred_strings:
    case Word::wrapped_strings: return strings;
    case Word::wrapped_logical: return logical;
    case Word::wrapped_complex: return complex;
    case Word::wrapped_raw: return raw;
    case Word::wrapped_list: return list;
    default: return nothing;
  }
}

// Why a type is more than data; null where it is data.
inline const char* beyond_data(Type type) {
  switch (type) {
    case promise: return "a promise";
    case closure:
    case special:
    case builtin: return "a function";
    case symbol:
    case call:
    case expression:
    case bytecode:
    case dots:
    case missing_argument:
    case unbound_value: return "code";
    case environment:
    case base_environment:
    case empty_environment:
    case global_environment: return "an environment";
    case name_space:
    case base_namespace:
    case package: return "a namespace";
    case pointer: return "an external pointer";
    case weak_reference: return "a weak reference";
    case s4_object: return "an S4 object";
    case persistent: return "an object that a hook makes";
    default: return nullptr;
  }
}

}  // namespace tenkai::serialization
