// Environments, and all that is made of pairs: functions, promises, calls, pairlists,
// and the calls within byte code.
#include <cstdint>

#include "scan_walk.h"

namespace tenkai::serialization {

// --- environments and pointers ---

bool Scanner::open_environment(Role role) {
  Frame frame(Shape::environment);
  cursor_.number();  // whether it is locked
  frame.chain = static_cast<std::uint32_t>(references_.size());
  if (role == Role::enclosure) frame.chain = stack_.back().chain;
  references_.push_back(Word::an_environment);
  push(frame);
  return false;
}

void Scanner::advance_environment(Frame& top) {
  switch (top.part++) {
    case 0: read(Role::enclosure); break;
    case 1: read(Role::bindings); break;
    case 2: read(Role::table); break;
    default: become_attributes({environment, 0}, false); break;
  }
}

// What a pointer keeps alive is nobody's business but its package's.
bool Scanner::open_pointer(std::int32_t flags) {
  remember(Word::an_object, pointer);
  Frame frame(Shape::pointer);
  frame.flags = flags;
  push(frame);
  ++loose_;
  return false;
}

void Scanner::advance_pointer(Frame& top) {
  if (top.part++ < 2) {
    read(Role::value);
    return;
  }
  --loose_;
  std::int32_t flags = top.flags;
  pop({pointer, 0});
  finish(flags, {pointer, 0});
}

// --- pairs ---

bool Scanner::open_pairs(std::int32_t flags, Role role) {
  Frame frame(Shape::pairs);
  frame.flags = flags;
  frame.role = role == Role::bindings || role == Role::formals ? role : Role::value;
  frame.is_lazy = type_of(flags) == dots;
  push(frame);
  return false;
}

// R writes attributes and tag of a pair first, then what it holds, then the rest of
// the chain, which it reads by calling itself. A function is such a pair too
// (environment, arguments, body), and so is a promise (environment, value, code).
void Scanner::advance_pairs(Frame& top) {
  Type type = type_of(top.flags);
  bool has_environment = type == closure || type == promise;
  bool is_strict = top.role != Role::value;
  switch (top.part++) {
    case 0:
      if (has_attributes(top.flags)) open_attributes({type, 0}, false);
      break;
    case 1:
      if (has_environment && has_tag(top.flags)) {
        read(Role::surrounding);
      } else if (has_tag(top.flags)) {
        read(is_strict ? Role::name : loose_ > 0 ? Role::value : Role::tag);
      } else if (is_strict) {
        throw Refused{"it has no symbol where one must be"};
      }
      break;
    case 2:
      if (type == closure) {
        read(Role::formals);
      } else {
        bool holds_binding = type == promise || top.is_lazy || top.role == Role::bindings;
        read(holds_binding ? Role::binding : Role::value);
      }
      break;
    case 3: {
      std::int32_t flags = cursor_.number();
      Role rest = type == promise ? Role::binding : type == closure ? Role::value : Role::tail;
      if (rest == Role::tail && is_pair(type_of(flags)) && type_of(flags) != closure &&
          type_of(flags) != promise) {
        rest = top.role;
      } else if (rest != Role::tail) {
        top.role = Role::value;
        top.is_lazy = type_of(flags) == dots;
      }
      if (!is_pair(type_of(flags)) || rest == Role::tail) {
        read(flags, rest);
        break;
      }
      admit(flags, rest);
      deepen(1);
      ++top.recursion;
      top.flags = flags;
      top.part = 0;
      break;
    }
    default: pop({type, unknown}); break;
  }
}

// --- byte code ---

// Its attributes come behind it, as those of a vector do.
bool Scanner::open_code(std::int32_t flags, std::uint32_t shared) {
  Frame frame(Shape::code);
  frame.flags = flags;
  frame.shared = shared;
  frame.recursion = 3;
  push(frame);
  return false;
}

// The code as integers, then its constants; a constant's type comes before it.
void Scanner::advance_code(Frame& top) {
  if (top.part == 0) {
    top.part = 1;
    read(Role::value);
    return;
  }
  if (top.part == 1) {
    if (last_.type != integer || last_.length == 0) throw Refused{"its byte code is none"};
    top.part = 2;
    top.left = cursor_.count(8);
  }
  while (top.left > 0) {
    --top.left;
    std::int32_t type = cursor_.number();
    if (type == bytecode) {
      open_code(0, top.shared);
      return;
    }
    if (!read_cell(type, Role::value, top)) return;
  }
  std::int32_t flags = top.flags;
  pop({bytecode, 0});
  finish(flags, {bytecode, 0});
}

// The number of a cell that is used in several places.
void Scanner::check_index(const Frame& user) {
  std::int32_t index = cursor_.number();
  if (index < 0 || static_cast<std::uint32_t>(index) >= user.shared) {
    throw Refused{"its byte code refers to what has not come"};
  }
}

// The type of a cell without what is said about its users.
std::int32_t Scanner::cell_type(std::int32_t type, const Frame& user) {
  if (type != shared_cell_definition) return type;
  check_index(user);
  type = cursor_.number();
  if (!is_cell(type)) throw Refused{"its byte code is none"};
  return type;
}

bool Scanner::read_cell(std::int32_t type, Role role, Frame& user) {
  switch (type) {
    case shared_cell: check_index(user); return finish({pairlist, unknown});
    case shared_cell_definition:
    case call:
    case pairlist:
    case call_with_attributes:
    case pairlist_with_attributes: {
      Frame frame(Shape::cells);
      frame.flags = cell_type(type, user);
      frame.shared = user.shared;
      push(frame);
      return false;
    }
    default: return read(role);
  }
}

void Scanner::advance_cells(Frame& top) {
  switch (top.part++) {
    case 0:
      if (top.flags == call_with_attributes || top.flags == pairlist_with_attributes) {
        open_attributes({call, 0}, false);
      }
      break;
    case 1: read(Role::tag); break;
    case 2: read_cell(cursor_.number(), Role::value, top); break;
    case 3: {
      std::int32_t type = cursor_.number();
      if (type != shared_cell_definition && !is_cell(type)) {
        read_cell(type, Role::tail, top);
        break;
      }
      deepen(1);
      ++top.recursion;
      top.flags = cell_type(type, top);
      top.part = 0;
      break;
    }
    default: pop({call, unknown}); break;
  }
}

}  // namespace tenkai::serialization
