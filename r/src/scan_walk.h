// The walk over R's serialization: what scan() is made of.
//
// The reader walks as R's reader would, but without recursion: the stack of open
// things is its own. A Frame says what is open and which part of it comes next.
// read() takes one item. A small one is finished at once, and what is known of it
// is in `last_`; a larger one becomes a frame, and is finished when that frame is
// closed. What may stand where is the item's Role.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "scan.h"
#include "scan_cursor.h"
#include "scan_format.h"

namespace tenkai::serialization {

// The length of what only a package can tell.
constexpr std::uint64_t unknown = UINT64_MAX;

enum class Role : std::uint8_t {
  value,        // what can be a value in R
  binding,      // what a variable, an argument or a promise may hold
  tag,          // a symbol or nothing
  name,         // a symbol
  surrounding,  // of a function or a promise: an environment, or nothing
  enclosure,    // of an environment: the same
  bindings,     // a pairlist with symbols as tags, or nothing
  table,        // a list of such pairlists, or nothing
  formals,      // the arguments of a function
  tail,         // the end of a pairlist: nothing
};

enum class Shape : std::uint8_t {
  elements,
  extent_names,  // the elements of `dimnames`
  attributes,
  pairs,
  environment,
  pointer,
  wrapped,  // the state of one of R's own ALTREP classes, a pair
  foreign,  // that of a package's class
  code,
  cells,  // calls and pairlists within byte code
};

// What is known of a value, as far as others have to agree with it.
struct Item {
  Type type = nothing;
  std::int8_t step = 0;    // of a compact integer vector, from `first` on
  std::int32_t first = 0;  // or the number of what was referred to
  std::uint64_t length = 0;
  const char* numbers = nullptr;  // where a plain integer vector is

  Item() = default;
  Item(Type of, std::uint64_t elements) : type(of), length(elements) {}
};

struct Frame {
  explicit Frame(Shape of) : shape(of) {}

  Shape shape;
  std::uint8_t part = 0;
  Role role = Role::value;         // of the elements; of pairs: what the chain is
  Word word = Word::other;         // attributes: the tag; wrapped: the class
  std::int32_t flags = 0;          // of pairs: those of this one; else of the whole
  std::uint32_t recursion = 1;     // calls of R's reader
  std::uint32_t chain = 0;         // environments: the first reference of those that it may not enclose
  bool is_lazy = false;            // pairs: they came as `...`, so they may hold promises
  bool is_checked = false;         // attributes: they must agree with their owner
  bool has_extents = false;        // attributes: they are the last ones of `ranks_`
  bool has_extent_names = false;   // attributes: their lengths are in `extents_`
  std::uint32_t shared = 0;        // byte code: the number of cells with several users
  std::uint32_t extents_from = 0;  // attributes: where in `extents_`
  std::uint64_t left = 0;          // elements to come
  Item own;                        // what is being read; attributes: their owner
};

class Scanner {
 public:
  Scanner(std::string_view bytes, bool data_only, std::uint32_t deepest,
          const std::vector<SharedBlock>& elsewhere, Verdict& verdict)
      : cursor_(bytes), data_only_(data_only), deepest_(deepest), elsewhere_(elsewhere), verdict_(verdict) {}

  void run() {
    read_header();
    read(Role::value);
    while (!stack_.empty()) advance(stack_.back());
    bool has_blocks = blocks_end_ > 0 || shared_end_ > 0 || !elsewhere_.empty();
    if (has_blocks) return end_blocks();
    if (cursor_.left() != 0) end_value();
  }
  std::uint64_t position() const { return cursor_.position(); }

 private:
  void read_header();
  void end_value();
  void end_blocks();

  // True where the item is finished; else it is the frame on top of the stack.
  bool read(Role role) { return read(cursor_.number(), role); }
  bool read(std::int32_t flags, Role role);
  bool finish(const Item& item) {
    last_ = item;
    return true;
  }
  bool finish(std::int32_t flags, const Item& item);
  bool read_numbers(std::int32_t flags, std::uint64_t bytes_each);
  bool read_strings(std::int32_t flags);
  bool open_elements(std::int32_t flags, Shape shape, Role role);
  bool open_attributes(const Item& owner, bool checked);
  bool open_environment(Role role);
  bool open_altrep(std::int32_t flags);
  bool open_block(std::int32_t flags, Type type);
  void add_block(std::uint64_t size, double begin, bool is_shared);
  bool open_pairs(std::int32_t flags, Role role);
  bool open_pointer(std::int32_t flags);
  bool open_code(std::int32_t flags, std::uint32_t shared);
  bool refer(std::int32_t flags, Role role);
  bool read_mark(std::int32_t flags, Role role);
  bool remember(Word word, Type type);
  void check_index(const Frame& user);
  void read_chars(std::int32_t flags);
  std::string_view read_name();
  void read_builtin(std::int32_t flags);
  void read_spec();
  Word read_symbol(std::int32_t flags);
  bool read_cell(std::int32_t type, Role role, Frame& user);
  std::int32_t cell_type(std::int32_t type, const Frame& user);

  void admit(std::int32_t flags, Role role) const;
  void push(const Frame& frame);
  void pop(const Item& item);
  void deepen(std::uint32_t calls);
  void become_attributes(const Item& owner, bool checked);

  void advance(Frame& top);
  void advance_elements(Frame& list);
  void advance_extent_names(Frame& list);
  void advance_attributes(Frame& top);
  void advance_pairs(Frame& top);
  void advance_environment(Frame& top);
  void advance_pointer(Frame& top);
  void advance_wrapped(Frame& top);
  void advance_foreign(Frame& top);
  void advance_code(Frame& top);
  void advance_cells(Frame& top);

  void next_attribute(std::int32_t flags, Frame& top);
  void admit_class(std::int32_t flags) const;
  void check_attribute(Frame& top);
  void check_extents(const Frame& top) const;
  void close_extents(const Frame& top);
  std::int32_t integer_of(const Item& item, std::uint64_t i) const;
  Item compact_state(Word word);

  Cursor cursor_;
  bool data_only_;
  std::uint32_t deepest_;
  const std::vector<SharedBlock>& elsewhere_;
  Verdict& verdict_;
  std::vector<Frame> stack_;
  std::vector<Word> references_;
  std::vector<Item> ranks_;             // the `dim` of open attributes
  std::vector<std::uint64_t> extents_;  // the lengths of the elements of open `dimnames`
  Item last_;
  std::uint64_t blocks_end_ = 0;  // of the blocks so far, from where the first one begins
  std::uint64_t shared_end_ = 0;  // the same of shared ones
  std::size_t shared_ = 0;        // how many there are
  std::uint32_t recursion_ = 0;
  int loose_ = 0;  // inside of what is opaque to R: tags and tails may be anything
};

}  // namespace tenkai::serialization
