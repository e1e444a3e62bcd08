// Looks through R's serialization before R does.
//
// R trusts what it unserializes: it recurses as deep as the bytes say, until the
// C stack is gone, and takes a thing for a symbol, an environment or a string
// because the bytes said it would be one. Bytes of a daemon that went wrong, or
// bad, end the session that way. scan() walks over the same bytes with a stack of
// its own and refuses what R would stumble over; on demand also whatever is more
// than data, because code and promises run as soon as somebody looks at them.
//
// It reads the binary formats ("B" of this machine, "X" of all), versions 2 and
// 3. Numbers are stepped over, so their amount costs nothing; strings and lists
// are looked at one by one. It needs no R.
//
// Objects that hooks make (hooks.h) are no more than marks in a value. What their hooks are
// given comes behind it, as a serialization of its own that holds nothing but data. A value without
// hooks may have blocks behind it, with the numbers of its large vectors (blocks.h); those that it
// shares with other values come last, or lie in files of their own.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tenkai {

// Owns nothing, so that R may jump over it.
struct Verdict {
  char reason[192] = "";        // why it is refused, without a full stop; empty where it is good
  std::uint32_t recursion = 0;  // how many calls R's reader will have open
  bool runs_code = false;       // whether reading it may fail (namespaces, byte code, hooks)
  bool must_enclose = false;    // whether an object that a hook makes is the environment of something
  std::uint64_t made = 0;       // the marks for objects that hooks have to make
  std::uint64_t section = 0;    // where what the hooks are given begins; 0: it has none
  std::uint64_t blocks = 0;     // where what follows the value begins, if that is blocks; 0: it has none
  std::uint64_t shared = 0;     // the same of shared ones, also where they are not behind the value

  bool is_good() const { return reason[0] == '\0'; }
};

enum class Allowed {
  everything,  // that is a legitimate value in R
  data,        // no promises, code, environments, pointers, namespaces, S4 objects, hooks
};

// `deepest`: how many calls R's reader may have open. It makes one for each value that
// lies within another, and one for each element of a pairlist. `shared`: the shared blocks
// that lie elsewhere; they are not looked at.
Verdict scan(std::string_view bytes, Allowed allowed, std::uint32_t deepest,
             const std::vector<SharedBlock>& shared = {}) noexcept;

}  // namespace tenkai
