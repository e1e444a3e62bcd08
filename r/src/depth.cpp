#include "depth.h"

#include <Rversion.h>

#include <algorithm>
#include <cstring>

#include "crossing.h"

namespace tenkai {

namespace {

// For what R's reader calls at last, and for an error that it meets there.
constexpr std::size_t at_end = 64 * 1024;
// What R's top level and a few functions take before a value is asked for.
constexpr std::size_t at_begin = 192 * 1024;
// How large a stack is taken to be that R does not know, and so does not watch either.
constexpr std::size_t presumed = 6 * 1024 * 1024;
// No compiler makes less of such a call.
constexpr std::size_t least = 128;

// --- what a call takes ---

constexpr int levels = 64;

// So many lists in each other, in version 2 of R's format, and where R's reader stood
// when it asked for the first and for the last of them.
struct Sample {
  char bytes[2 + 4 * (3 + 2 * levels + 1)];
  std::size_t read = 0;
  std::uintptr_t first = 0;
  std::uintptr_t last = 0;
};

void write(Sample& sample) {
  std::memcpy(sample.bytes, "B\n", 2);
  char* at = sample.bytes + 2;
  auto put = [&at](std::int32_t number) {
    std::memcpy(at, &number, sizeof number);
    at += sizeof number;
  };
  for (std::int32_t number : {2, R_VERSION, R_Version(2, 3, 0)}) put(number);
  for (int i = 0; i < levels; ++i) {
    put(VECSXP);
    put(1);
  }
  put(254);  // NULL
}

void read_sample(R_inpstream_t stream, void* bytes, int size) {
  auto& sample = *static_cast<Sample*>(stream->data);
  auto wanted = static_cast<std::size_t>(size);
  if (wanted > sizeof sample.bytes - sample.read) Rf_error("a serialized value is cut off");
  std::memcpy(bytes, sample.bytes + sample.read, wanted);
  sample.read += wanted;
  sample.last = stack_position();
  if (sample.read == 2 + 4 * 4) sample.first = sample.last;
}

int read_sample_char(R_inpstream_t stream) {
  char byte = 0;
  read_sample(stream, &byte, 1);
  return static_cast<unsigned char>(byte);
}

std::size_t measure() {
  Sample sample;
  write(sample);
  R_inpstream_st stream;
  R_InitInPStream(&stream, &sample, R_pstream_any_format, read_sample_char, read_sample, nullptr, R_NilValue);
  R_Unserialize(&stream);
  std::uintptr_t taken = std::max(sample.first, sample.last) - std::min(sample.first, sample.last);
  return std::max<std::size_t>((taken + levels - 1) / levels, least);
}

// Not a static that is made when it is first asked for: R may jump over its making.
std::size_t of_a_call() {
  static std::size_t measured = 0;
  if (measured == 0) measured = measure();
  return measured;
}

// --- what there is ---

struct Stack {
  std::size_t size = 0;
  std::uintptr_t limit = 0;  // where it ends for R; 0: R does not know
};

// Asked for once. The call takes some of the stack itself, so it ends a little further up.
const Stack& the_stack() {
  static Stack stack;
  if (stack.size != 0) return stack;
  SEXP call = PROTECT(Rf_lang1(Rf_install("Cstack_info")));
  SEXP info = PROTECT(Rf_eval(call, R_BaseEnv));
  bool is_known = TYPEOF(info) == INTSXP && XLENGTH(info) > 1 && INTEGER(info)[0] != NA_INTEGER;
  stack.size = is_known ? static_cast<std::size_t>(INTEGER(info)[0]) : presumed;
  if (is_known) stack.limit = stack_position() + static_cast<std::size_t>(INTEGER(info)[1]) - stack.size;
  UNPROTECT(2);
  return stack;
}

}  // namespace

std::uint32_t deepest() {
  static std::uint32_t calls = 0;
  if (calls == 0) {
    std::size_t usable = std::max(the_stack().size, 2 * (at_begin + at_end)) - at_begin - at_end;
    calls = static_cast<std::uint32_t>(usable / of_a_call());
  }
  return calls;
}

std::size_t stack_for(std::uint32_t calls) { return calls * of_a_call() + at_end; }

bool has_room(std::size_t bytes) {
  std::uintptr_t limit = the_stack().limit;
  std::uintptr_t here = stack_position();
  return limit == 0 || (here > limit && here - limit >= bytes);
}

std::uintptr_t stack_end(std::size_t bytes) { return stack_position() - bytes; }

}  // namespace tenkai
