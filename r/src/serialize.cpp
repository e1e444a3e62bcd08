#include "serialize.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include "blocks.h"
#include "depth.h"
#include "plain.h"

namespace tenkai {

namespace {

// From here on memory that is about to be filled is asked for in huge pages,
// where the system offers them: the page faults of 80 MB in small pages cost
// several times what copying the 80 MB does.
constexpr std::size_t large = 4 * 1024 * 1024;

// A hint for the whole pages in a block; what the kernel makes of it does not matter.
void ask_for_huge_pages(void* block, std::size_t size) {
  constexpr std::uintptr_t page = 4096;
  auto begin = (reinterpret_cast<std::uintptr_t>(block) + page - 1) & ~(page - 1);
  auto end = (reinterpret_cast<std::uintptr_t>(block) + size) & ~(page - 1);
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

// What is left to be read, and what R has just been told.
struct Source {
  std::string_view rest;
  int last_number = 0;       // before a vector's elements comes their number
  std::uintptr_t stack_end;  // R's reader must not get there
};

// R reads the elements of a long vector in pieces, the first one right after
// their number. That is the moment when the vector exists and is untouched.
void prepare(const Source& source, void* bytes, std::size_t size) {
  constexpr std::size_t piece = 8096;  // elements, in R's serialize.c
  if (size % piece != 0 || source.last_number <= 0) return;
  std::size_t whole = size / piece * static_cast<std::size_t>(source.last_number);
  if (whole >= large) ask_for_huge_pages(bytes, whole);
}

void out_bytes(R_outpstream_t stream, void* bytes, int size) {
  static_cast<Buffer*>(stream->data)->append(bytes, static_cast<std::size_t>(size));
}

void out_char(R_outpstream_t stream, int c) {
  char byte = static_cast<char>(c);
  static_cast<Buffer*>(stream->data)->append(&byte, 1);
}

void in_bytes(R_inpstream_t stream, void* bytes, int size) {
  auto& source = *static_cast<Source*>(stream->data);
  std::size_t wanted = static_cast<std::size_t>(size);
  if (wanted > source.rest.size()) Rf_error("a serialized value is cut off");
  if (stack_position() < source.stack_end) Rf_error("it nests deeper than the C stack allows");
  if (wanted > sizeof(int)) prepare(source, bytes, wanted);
  std::memcpy(bytes, source.rest.data(), wanted);
  source.rest.remove_prefix(wanted);
  source.last_number = 0;
  if (wanted == sizeof(int)) std::memcpy(&source.last_number, bytes, sizeof(int));
}

int in_char(R_inpstream_t stream) {
  char byte = 0;
  in_bytes(stream, &byte, 1);
  return static_cast<unsigned char>(byte);
}

std::string_view mapped(const Payload& payload) {
  try {
    return view_of(payload);
  } catch (const std::bad_alloc&) {  // R's jump must not start in here
  }
  Rf_error("cannot map a value of %.0f bytes", static_cast<double>(size_of(payload)));
}

using Hook = SEXP (*)(SEXP, SEXP);

void write(SEXP object, Buffer& into, Hook hook, SEXP data) {
  R_outpstream_st stream;
  R_InitOutPStream(&stream, &into, R_pstream_binary_format, 3, out_char, out_bytes, hook, data);
  R_Serialize(object, &stream);
}

SEXP read(std::string_view bytes, const Verdict& verdict, Hook hook, SEXP data) {
  std::size_t needed = stack_for(verdict.recursion);
  R_CheckStack2(needed);
  R_inpstream_st stream;
  Source source{bytes, 0, stack_end(needed)};
  R_InitInPStream(&stream, &source, R_pstream_any_format, in_char, in_bytes, hook, data);
  return R_Unserialize(&stream);
}

struct Reading {
  const Payload& payload;
  const Verdict& verdict;
};

SEXP read_before_blocks(void* data) {
  auto& reading = *static_cast<Reading*>(data);
  std::string_view bytes = mapped(reading.payload);
  bytes = bytes.substr(0, std::min(bytes.size(), static_cast<std::size_t>(reading.verdict.blocks)));
  return read(bytes, reading.verdict, nullptr, R_NilValue);
}

SEXP gather(SEXP object, SEXP pointer) {
  return static_cast<Gathered*>(R_ExternalPtrAddr(pointer))->mark_for(object);
}

}  // namespace

void serialize(SEXP object, Buffer& into) {
  if (!serialize_plain(object, into)) write(object, into, nullptr, R_NilValue);
}

void serialize_whole(SEXP object, Buffer& into, SEXP hooks, Gathered& gathered, FiledVectors* filed) {
  if (hooks != R_NilValue || into.size() > 0) {
    serialize(object, into, hooks, gathered);
    return;
  }
  serialize_with_blocks(object, into, filed, serialize);
}

void serialize(SEXP object, Buffer& into, SEXP hooks, Gathered& gathered) {
  if (hooks == R_NilValue) {
    serialize(object, into);
    return;
  }
  PROTECT(hooks);  // they may replace themselves
  SEXP room = PROTECT(Rf_allocVector(VECSXP, 1));
  SEXP pointer = PROTECT(R_MakeExternalPtr(&gathered, R_NilValue, R_NilValue));
  gathered.begin(hooks, room);
  write(object, into, gather, pointer);
  SEXP section = PROTECT(gathered.section());
  gathered.clear();
  if (section != R_NilValue) serialize(section, into);
  UNPROTECT(4);
}

Verdict examine(const Payload& payload, Allowed allowed) {
  static const std::vector<SharedBlock> none;
  return scan(mapped(payload), allowed, deepest(), payload ? payload->blocks() : none);
}

SEXP unserialize(const Payload& payload, const Verdict& verdict, SEXP made, FiledVectors* filed) {
  if (verdict.blocks > 0) {
    Reading reading{payload, verdict};
    return with_blocks_of(payload, verdict, filed, read_before_blocks, &reading);
  }
  if (verdict.made == 0) return read(mapped(payload), verdict, nullptr, R_NilValue);
  SEXP data = PROTECT(objects_to_hand_out(made));
  SEXP value = read(mapped(payload), verdict, verdict.must_enclose ? made_environment : made_object, data);
  UNPROTECT(1);
  return value;
}

SEXP unserialize_section(const Payload& payload, const Verdict& verdict) {
  return read(mapped(payload).substr(static_cast<std::size_t>(verdict.section)), verdict, nullptr,
              R_NilValue);
}

}  // namespace tenkai
