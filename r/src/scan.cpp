#include "scan.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "scan_walk.h"

namespace tenkai {

namespace serialization {

// --- what becomes a frame ---

void Scanner::deepen(std::uint32_t calls) {
  recursion_ += calls;
  verdict_.recursion = std::max(verdict_.recursion, recursion_);
  if (recursion_ > deepest_) throw Refused{"it nests deeper than the C stack of R allows here"};
}

void Scanner::push(const Frame& frame) {
  deepen(frame.recursion);
  stack_.push_back(frame);
}

void Scanner::pop(const Item& item) {
  last_ = item;
  recursion_ -= stack_.back().recursion;
  stack_.pop_back();
}

// The frame on top is read but for its attributes, of which there are always some
// or `nothing`.
void Scanner::become_attributes(const Item& owner, bool checked) {
  pop(owner);
  open_attributes(owner, checked);
}

bool Scanner::open_elements(std::int32_t flags, Shape shape, Role role) {
  Frame frame(shape);
  frame.role = role;
  frame.flags = flags;
  frame.left = cursor_.length(4);
  frame.own = {type_of(flags), frame.left};
  // R takes the remainder by the length of such a table.
  if (role == Role::bindings && frame.left == 0) throw Refused{"it holds an environment without a table"};
  push(frame);
  return false;
}

void Scanner::advance(Frame& top) {
  switch (top.shape) {
    case Shape::elements: advance_elements(top); break;
    case Shape::extent_names: advance_extent_names(top); break;
    case Shape::attributes: advance_attributes(top); break;
    case Shape::pairs: advance_pairs(top); break;
    case Shape::environment: advance_environment(top); break;
    case Shape::pointer: advance_pointer(top); break;
    case Shape::wrapped: advance_wrapped(top); break;
    case Shape::foreign: advance_foreign(top); break;
    case Shape::code: advance_code(top); break;
    case Shape::cells: advance_cells(top); break;
  }
}

// Plain numbers are stepped over right here: lists have many of them.
void Scanner::advance_elements(Frame& list) {
  Role role = list.role;
  while (list.left > 0) {
    --list.left;
    std::int32_t flags = cursor_.number();
    std::uint64_t size = role == Role::value && !has_attributes(flags) ? number_size(type_of(flags)) : 0;
    if (size > 0) {
      cursor_.take(cursor_.length(size) * size);
    } else if (!read(flags, role)) {
      return;  // `list` may have moved
    }
  }
  std::int32_t flags = list.flags;
  pop(Item{list.own});
  finish(flags, Item{last_});
}

}  // namespace serialization

namespace {

using serialization::Refused;

void explain(Verdict& verdict, const Refused& refused, std::uint64_t at, std::size_t size) {
  const char* form = refused.beyond_data
                         ? "it holds %s, and safe = TRUE lets in nothing but data (byte %llu of %zu)"
                         : "%s (byte %llu of %zu)";
  std::snprintf(verdict.reason, sizeof verdict.reason, form, refused.why, static_cast<unsigned long long>(at),
                size);
}

// A value, and where it ends.
Verdict scan_value(std::string_view bytes, Allowed allowed, std::uint32_t deepest,
                   const std::vector<SharedBlock>& shared = {}) noexcept {
  Verdict verdict;
  serialization::Scanner scanner(bytes, allowed == Allowed::data, deepest, shared, verdict);
  try {
    scanner.run();
  } catch (const Refused& refused) {
    explain(verdict, refused, scanner.position(), bytes.size());
  } catch (const std::bad_alloc&) {
    explain(verdict, Refused{"there is no memory to look through it"}, scanner.position(), bytes.size());
  }
  return verdict;
}

}  // namespace

Verdict scan(std::string_view bytes, Allowed allowed, std::uint32_t deepest,
             const std::vector<SharedBlock>& shared) noexcept {
  Verdict verdict = scan_value(bytes, allowed, deepest, shared);
  if (!verdict.is_good()) return verdict;
  if (verdict.section == 0) {
    Refused lacks{"it refers to something outside of it"};
    if (verdict.made > 0) explain(verdict, lacks, bytes.size(), bytes.size());
    return verdict;
  }
  std::string_view behind = bytes.substr(static_cast<std::size_t>(verdict.section));
  Verdict section = scan_value(behind, Allowed::data, deepest);
  Refused spoilt{"what its hooks are given is cut off, or more than data"};
  if (!section.is_good() || section.blocks > 0) explain(verdict, spoilt, verdict.section, bytes.size());
  verdict.recursion = std::max(verdict.recursion, section.recursion);
  return verdict;
}

}  // namespace tenkai
