// What belongs to vectors: attributes, which must agree with them, and those that are
// written as how they came about.
#include <cmath>
#include <cstdint>

#include "scan_walk.h"

namespace tenkai::serialization {

namespace {

// The most extents of an array; R's own functions end long before.
constexpr std::uint64_t max_rank = 255;

}  // namespace

// --- attributes ---

// `checked`: for a vector, whose names and extents R's own code relies on.
bool Scanner::open_attributes(const Item& owner, bool checked) {
  std::int32_t flags = cursor_.number();
  if (type_of(flags) == nothing) return finish(owner);
  Frame frame(Shape::attributes);
  // R's reader is still at the owner, which has a frame of its own if it is a pair.
  frame.recursion = is_pair(owner.type) ? 1 : 2;
  frame.own = owner;
  frame.is_checked = checked;
  frame.extents_from = static_cast<std::uint32_t>(extents_.size());
  next_attribute(flags, frame);
  push(frame);
  return false;
}

void Scanner::next_attribute(std::int32_t flags, Frame& top) {
  if (type_of(flags) != pairlist || has_attributes(flags) || !has_tag(flags)) {
    throw Refused{"its attributes are not a list of named values"};
  }
  top.word = read_symbol(cursor_.number());
  top.part = 0;
}

void Scanner::advance_attributes(Frame& top) {
  if (top.part == 0) {
    top.part = 1;
    std::int32_t flags = cursor_.number();
    if (top.word == Word::class_name) admit_class(flags);
    if (top.word != Word::dimnames || !top.is_checked) {
      read(flags, Role::value);
      return;
    }
    if (type_of(flags) != list) throw Refused{"the names of its extents are not a list"};
    open_elements(flags, Shape::extent_names, Role::value);
    return;
  }
  check_attribute(top);
  std::int32_t flags = cursor_.number();
  if (type_of(flags) == nothing) {
    check_extents(top);
    close_extents(top);
    pop(Item{top.own});
    return;
  }
  deepen(1);
  ++top.recursion;
  next_attribute(flags, top);
}

// The class of an S4 object says in an attribute of its own which package has defined
// it, and R loads that package to look it up.
void Scanner::admit_class(std::int32_t flags) const {
  bool is_plain = type_of(flags) == strings && !has_attributes(flags);
  if (data_only_ && !is_plain) throw Refused{"the class of an S4 object", true};
}

void Scanner::check_attribute(Frame& top) {
  if (top.word == Word::class_name && (last_.type != strings || last_.length == 0)) {
    throw Refused{"its class is not a text"};
  }
  if (!top.is_checked) return;
  if (top.word == Word::names) {
    bool fits = last_.type == strings && (last_.length == top.own.length || last_.length == unknown);
    if (!fits && top.own.length != unknown) throw Refused{"its names are not as many as its elements"};
  }
  if (top.word == Word::dim) {
    if (top.has_extents) throw Refused{"it has extents twice"};
    top.has_extents = true;
    ranks_.push_back(last_);
  }
  if (top.word == Word::dimnames) top.has_extent_names = true;
}

std::int32_t Scanner::integer_of(const Item& item, std::uint64_t i) const {
  if (item.numbers != nullptr) return cursor_.number_at(item.numbers + 4 * i);
  return item.first + item.step * static_cast<std::int32_t>(i);
}

// The extents of an array are read as if there were as many elements; so are the
// names of the extents.
void Scanner::check_extents(const Frame& top) const {
  if (!top.has_extents && !top.has_extent_names) return;
  Item dim = top.has_extents ? ranks_.back() : Item{};
  if (dim.type != integer || dim.length == 0 || dim.length > max_rank) {
    throw Refused{"its extents are not integers"};
  }
  double product = 1;
  for (std::uint64_t i = 0; i < dim.length; ++i) {
    if (integer_of(dim, i) < 0) throw Refused{"it has a negative extent"};
    product *= integer_of(dim, i);
  }
  if (top.own.length != unknown && product != static_cast<double>(top.own.length)) {
    throw Refused{"its extents do not fit its length"};
  }
  if (!top.has_extent_names) return;
  if (extents_.size() - top.extents_from != dim.length) {
    throw Refused{"the names of its extents are not as many as those"};
  }
  for (std::uint64_t i = 0; i < dim.length; ++i) {
    std::uint64_t length = extents_[top.extents_from + i];
    if (length != unknown && length != static_cast<std::uint64_t>(integer_of(dim, i))) {
      throw Refused{"the names of an extent are not as many as it is long"};
    }
  }
}

void Scanner::close_extents(const Frame& top) {
  if (top.has_extents) ranks_.pop_back();
  extents_.resize(top.extents_from);
}

void Scanner::advance_extent_names(Frame& list) {
  if (list.own.length > max_rank) throw Refused{"it has names for too many extents"};
  if (list.part == 1) {
    if (last_.type != nothing && last_.type != strings) throw Refused{"the names of an extent are no texts"};
    extents_.push_back(last_.type == nothing ? unknown : last_.length);
  }
  list.part = 1;
  if (list.left > 0) {
    --list.left;
    read(Role::value);
    return;
  }
  std::int32_t flags = list.flags;
  pop(Item{list.own});
  finish(flags, Item{last_});
}

// --- ALTREP: vectors that are written as how they came about ---

// The class, the package that has it and the type of such a vector come first. R's
// own classes take their state unseen, so it is looked at here.
bool Scanner::open_altrep(std::int32_t flags) {
  Word words[2];
  for (Word& word : words) {
    if (cursor_.number() != pairlist) throw Refused{"it holds a vector of no class"};
    word = read_symbol(cursor_.number());
  }
  if (cursor_.number() != pairlist || cursor_.number() != integer || cursor_.number() != 1) {
    throw Refused{"it holds a vector of no class"};
  }
  std::int32_t type = cursor_.number();
  bool is_ours = words[1] == Word::base;
  bool is_known = type >= logical && type <= raw && is_vector(static_cast<Type>(type));
  // R looks the name of the type up without looking whether it has one.
  if (!is_known || cursor_.number() != nothing) throw Refused{"it holds a vector of no class"};

  if (words[1] == Word::tenkai && type_of_block(words[0]) == type) {
    return open_block(flags, static_cast<Type>(type));
  }
  if (is_ours && type_of(words[0]) == nothing) {
    throw Refused{"it holds a vector that stands for something outside of it"};
  }
  if (is_ours && type_of(words[0]) != type) throw Refused{"it holds a vector of no class"};
  if (is_ours && (words[0] == Word::compact_integers || words[0] == Word::compact_reals)) {
    return open_attributes(compact_state(words[0]), !is_s4(flags));
  }
  if (!is_ours && data_only_) throw Refused{"a vector of a package's own class", true};

  Frame frame(is_ours ? Shape::wrapped : Shape::foreign);
  frame.flags = flags;
  frame.word = words[0];
  frame.own = {static_cast<Type>(type), unknown};
  frame.recursion = 2;
  if (!is_ours) {
    verdict_.runs_code = true;
    ++loose_;
  } else if (cursor_.number() != pairlist) {
    throw Refused{"it holds a vector without a state"};
  }
  push(frame);
  return false;
}

// Length, and where its block begins; a third number says that others have it, too.
bool Scanner::open_block(std::int32_t flags, Type type) {
  if (cursor_.number() != real) throw Refused{"it holds a vector without a state"};
  std::int32_t numbers = cursor_.number();
  if (numbers != 2 && numbers != 3) throw Refused{"it holds a vector without a state"};
  const char* state = cursor_.take(static_cast<std::uint64_t>(numbers) * sizeof(double)).data();
  double length = cursor_.real_at(state);
  bool is_shared = numbers == 3;
  if (is_shared && cursor_.real_at(state + 2 * sizeof(double)) != 1)
    throw Refused{"it holds a vector without a state"};
  if (!(length >= 1 && length <= 0x1p52 && std::floor(length) == length))
    throw Refused{"it announces more than there is"};
  Item item{type, static_cast<std::uint64_t>(length)};
  add_block(item.length * number_size(type), cursor_.real_at(state + sizeof(double)), is_shared);
  return open_attributes(item, !is_s4(flags));
}

// Behind the one before.
void Scanner::add_block(std::uint64_t size, double begin, bool is_shared) {
  std::uint64_t& end = is_shared ? shared_end_ : blocks_end_;
  bool is_next = begin == static_cast<double>(aligned(end));
  end = aligned(end) + size;
  bool is_elsewhere = is_shared && !elsewhere_.empty();
  bool fits =
      is_elsewhere ? shared_ < elsewhere_.size() && elsewhere_[shared_].size == size : end <= cursor_.size();
  if (!is_next || !fits) throw Refused{"it announces more than there is"};
  if (is_shared) ++shared_;
}

// Length, first value and step.
Item Scanner::compact_state(Word word) {
  bool in_reals = true;
  std::int32_t type = cursor_.number();
  if (type == integer && word == Word::compact_integers) in_reals = false;
  if ((type != real && in_reals) || cursor_.number() != 3) throw Refused{"it holds a vector without a state"};
  std::uint64_t size = in_reals ? 8 : 4;
  const char* state = cursor_.take(3 * size).data();
  double values[3];
  for (std::uint64_t i = 0; i < 3; ++i) {
    values[i] = in_reals ? cursor_.real_at(state + 8 * i) : cursor_.number_at(state + 4 * i);
  }
  double length = values[0];
  double last = values[1] + (length - 1) * values[2];
  bool good = length >= 0 && length <= 0x1p52 && std::floor(length) == length &&
              (values[2] == 1 || values[2] == -1) && std::isfinite(values[1]);
  if (word == Word::compact_integers) {
    good = good && std::fabs(values[1]) <= INT32_MAX && std::fabs(last) <= INT32_MAX &&
           std::floor(values[1]) == values[1];
  }
  if (!good) throw Refused{"it holds a sequence that is none"};
  Item item{word == Word::compact_integers ? integer : real, static_cast<std::uint64_t>(length)};
  if (item.type == integer) {
    item.first = static_cast<std::int32_t>(values[1]);
    item.step = static_cast<std::int8_t>(values[2]);
  }
  return item;
}

void Scanner::advance_wrapped(Frame& top) {
  bool defers = top.word == Word::deferred_strings;
  switch (top.part++) {
    case 0: read(Role::value); break;
    case 1: {
      bool fits = defers ? last_.type == integer || last_.type == real : last_.type == type_of(top.word);
      if (!fits) throw Refused{"it holds a vector around one of another type"};
      top.own = last_;
      if (defers) top.own = {strings, last_.length};
      read(Role::value);
      break;
    }
    default:
      if (last_.type != integer || last_.length < (defers ? 1U : 2U)) {
        throw Refused{"it holds a vector without a state"};
      }
      become_attributes(Item{top.own}, !is_s4(top.flags));
      break;
  }
}

void Scanner::advance_foreign(Frame& top) {
  if (top.part++ == 0) {
    read(Role::value);
    return;
  }
  --loose_;
  become_attributes(Item{top.own}, false);
}

}  // namespace tenkai::serialization
