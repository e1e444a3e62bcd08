#include "plain.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tenkai {

namespace {

// The types in R's serialize.c that are none of SEXPTYPE.
constexpr int null_value = 254;
constexpr int global_env = 253;
constexpr int missing_argument = 251;
constexpr int empty_env = 242;
constexpr int base_env = 241;
constexpr int reference = 255;

constexpr int is_object = 1 << 8;
constexpr int has_attributes = 1 << 9;
constexpr int has_tag = 1 << 10;
constexpr int level = 1 << 12;
constexpr int utf8 = 8 * level;
constexpr int ascii = 64 * level;

// Format, versions and the native encoding: as R writes them, taken from what it writes once. The
// encoding counts only for texts that are in none that they name; these are not plain.
class Header {
 public:
  // May jump as R does, and is then asked again.
  std::string_view view() {
    if (!is_whole_) fill();
    return {bytes_.data(), size_};
  }

 private:
  void fill() {
    size_ = 0;
    R_outpstream_st stream;
    R_InitOutPStream(&stream, reinterpret_cast<R_pstream_data_t>(this), R_pstream_binary_format, 3, out_char,
                     out_bytes, nullptr, R_NilValue);
    R_Serialize(R_NilValue, &stream);
    size_ -= sizeof(int);
    is_whole_ = true;
  }
  static void out_bytes(R_outpstream_t stream, void* bytes, int size) {
    auto& header = *reinterpret_cast<Header*>(stream->data);
    if (header.size_ + static_cast<std::size_t>(size) > header.bytes_.size())
      Rf_error("a header of R is odd");
    std::memcpy(header.bytes_.data() + header.size_, bytes, static_cast<std::size_t>(size));
    header.size_ += static_cast<std::size_t>(size);
  }
  static void out_char(R_outpstream_t stream, int c) {
    char byte = static_cast<char>(c);
    out_bytes(stream, &byte, 1);
  }

  std::array<char, 128> bytes_;
  std::size_t size_ = 0;
  bool is_whole_ = false;
};

// Each function is false where something is not plain, or too large.
class Writer {
 public:
  bool item(SEXP object, int depth = 0) {
    if (depth > most_depth || ALTREP(object) || Rf_isS4(object)) return false;
    switch (TYPEOF(object)) {
      case NILSXP: return number(null_value);
      case SYMSXP: return symbol(object);
      case ENVSXP: return environment(object);
      case LISTSXP:
      case LANGSXP: return pairs(object, depth);
      case LGLSXP: return vector(object, LOGICAL_RO(object), sizeof(int), depth);
      case INTSXP: return vector(object, INTEGER_RO(object), sizeof(int), depth);
      case REALSXP: return vector(object, REAL_RO(object), sizeof(double), depth);
      case CPLXSXP: return vector(object, COMPLEX_RO(object), sizeof(Rcomplex), depth);
      case RAWSXP: return vector(object, RAW_RO(object), 1, depth);
      case STRSXP:
      case VECSXP: return list(object, depth);
      default: return false;
    }
  }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  static constexpr int most_depth = 32;

  bool put(const void* bytes, std::size_t size) {
    if (size > bytes_.size() - size_) return false;
    if (size > 0) std::memcpy(bytes_.data() + size_, bytes, size);
    size_ += size;
    return true;
  }
  bool number(int value) { return put(&value, sizeof value); }

  static int flags_of(SEXP object) {
    int flags = TYPEOF(object);
    if (Rf_isObject(object)) flags |= is_object;
    if (ATTRIB(object) != R_NilValue) flags |= has_attributes;
    return flags;
  }
  bool attributes(SEXP object, int depth) {
    return ATTRIB(object) == R_NilValue || item(ATTRIB(object), depth + 1);
  }
  // Before what a vector holds.
  bool begin(SEXP vector) {
    R_xlen_t length = XLENGTH(vector);
    bool is_small = length <= static_cast<R_xlen_t>(bytes_.size());
    return is_small && number(flags_of(vector)) && number(static_cast<int>(length));
  }

  bool vector(SEXP object, const void* numbers, std::size_t size, int depth) {
    return begin(object) && put(numbers, static_cast<std::size_t>(XLENGTH(object)) * size) &&
           attributes(object, depth);
  }

  bool list(SEXP object, int depth) {
    if (!begin(object)) return false;
    for (R_xlen_t i = 0; i < XLENGTH(object); ++i) {
      bool good =
          TYPEOF(object) == STRSXP ? text(STRING_ELT(object, i)) : item(VECTOR_ELT(object, i), depth + 1);
      if (!good) return false;
    }
    return attributes(object, depth);
  }

  bool text(SEXP string) {
    if (string == NA_STRING) return number(CHARSXP) && number(-1);
    const char* bytes = CHAR(string);
    auto length = static_cast<std::size_t>(LENGTH(string));
    if (length > bytes_.size()) return false;
    bool is_ascii = true;
    for (std::size_t i = 0; i < length; ++i)
      is_ascii = is_ascii && static_cast<unsigned char>(bytes[i]) < 128;
    if (!is_ascii && Rf_getCharCE(string) != CE_UTF8) return false;
    return number(CHARSXP | (is_ascii ? ascii : utf8)) && number(static_cast<int>(length)) &&
           put(bytes, length);
  }

  // A symbol that was met before is its number.
  bool symbol(SEXP object) {
    if (object == R_MissingArg) return number(missing_argument);
    if (object == R_UnboundValue) return false;
    for (std::size_t i = 0; i < known_; ++i) {
      if (symbols_[i] == object) return number((static_cast<int>(i) + 1) << 8 | reference);
    }
    if (known_ == symbols_.size()) return false;
    symbols_[known_++] = object;
    return number(SYMSXP) && text(PRINTNAME(object));
  }

  bool environment(SEXP object) {
    if (object == R_GlobalEnv) return number(global_env);
    if (object == R_BaseEnv) return number(base_env);
    return object == R_EmptyEnv && number(empty_env);
  }

  bool pairs(SEXP object, int depth) {
    for (; TYPEOF(object) == LISTSXP || TYPEOF(object) == LANGSXP; object = CDR(object)) {
      bool is_named = TAG(object) != R_NilValue;
      bool good = number(flags_of(object) | (is_named ? has_tag : 0)) && attributes(object, depth) &&
                  (!is_named || item(TAG(object), depth + 1)) && item(CAR(object), depth + 1);
      if (!good) return false;
    }
    return item(object, depth + 1);
  }

  std::array<char, 4096> bytes_;
  std::size_t size_ = 0;
  std::array<SEXP, 64> symbols_;
  std::size_t known_ = 0;
};

}  // namespace

bool serialize_plain(SEXP object, Buffer& into) {
  static Header header;
  Writer writer;
  if (!writer.item(object)) return false;
  std::string_view begin = header.view();
  into.append(begin.data(), begin.size());
  into.append(writer.view().data(), writer.view().size());
  return true;
}

}  // namespace tenkai

using namespace tenkai;

// The bytes, or NULL where the object is not plain: for who compares them with R's.
SEXP tk_serialize_plain(SEXP object) {
  return guarded([&] {
    Buffer bytes;
    bool is_plain = false;
    auto write = [&] {
      is_plain = serialize_plain(object, bytes);
      return R_NilValue;
    };
    safely(write);
    if (!is_plain) return R_NilValue;
    SEXP raw = Rf_allocVector(RAWSXP, static_cast<R_xlen_t>(bytes.size()));
    std::memcpy(RAW(raw), bytes.view().data(), bytes.size());
    return raw;
  });
}
