// How deep R's reader may go.
//
// It calls itself for each level of a value and looks nowhere whether the C stack has
// room for that: where there is none, R ends. What a call takes differs from build to
// build of R, so it is measured once; how large the stack is, R says itself.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tenkai {

// How many calls of it fit, from R's top level on. A value that needs more can never be
// read by this process.
std::uint32_t deepest();

// So many never meet a limit of R's.
constexpr std::uint32_t always_fits = 200;

// The bytes of the C stack that so many of them take, and what they call at last.
std::size_t stack_for(std::uint32_t calls);

// Whether the C stack has so many bytes left just now; true where R does not know it.
bool has_room(std::size_t bytes);

// Where the C stack ends that may be used from here on, if it is so many bytes.
std::uintptr_t stack_end(std::size_t bytes);
inline std::uintptr_t stack_position() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

}  // namespace tenkai
