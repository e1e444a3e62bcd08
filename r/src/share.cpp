// .Call wrapper of share(): large vectors that lie in a memory file from the beginning.
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "api.h"
#include "base/bytes.h"
#include "blocks.h"
#include "buffer.h"
#include "filed_vectors.h"

namespace tenkai {

namespace {

using File = std::shared_ptr<const Bytes>;

void let_go(SEXP pointer) {
  delete static_cast<File*>(R_ExternalPtrAddr(pointer));
  R_ClearExternalPtr(pointer);
}

// Keeps the file for as long as R keeps it. Not protected.
SEXP keeper_of(const File& file) {
  auto kept = std::make_unique<File>(file);
  auto make = [&] {
    SEXP pointer = PROTECT(R_MakeExternalPtr(nullptr, R_NilValue, R_NilValue));
    R_RegisterCFinalizerEx(pointer, let_go, FALSE);
    R_SetExternalPtrAddr(pointer, kept.release());
    UNPROTECT(1);
    return pointer;
  };
  return safely(make);
}

// Null where there is none to be had.
File file_of(Buffer& buffer) {
  std::size_t size = buffer.size();
  Bytes file = Bytes::of_file(buffer.is_in_file() ? buffer.seal() : -1);
  if (file.file() < 0) return nullptr;
  file.set_own_size(size);
  return std::make_shared<const Bytes>(std::move(file));
}

// The object with its large vectors in a memory file; itself where there is none to be had. Not
// protected.
SEXP shared(SEXP object) {
  auto find = [&] { return with_stand_ins(object); };
  SEXP whole = PROTECT(safely(find));
  Buffer buffer;
  auto append = [&] {
    append_stand_ins(whole, buffer);
    return R_NilValue;
  };
  safely(append);
  std::vector<Buffer::Block> blocks = buffer.blocks();
  File file = file_of(buffer);
  if (file == nullptr || blocks.empty()) {
    UNPROTECT(1);
    return object;
  }
  SEXP keeper = PROTECT(keeper_of(file));
  auto map = [&] {
    map_stand_ins(whole, *file, keeper, blocks);
    return R_NilValue;
  };
  safely(map);
  FiledVectors::of_session().add(file, blocks);
  UNPROTECT(2);
  return whole;
}

}  // namespace

}  // namespace tenkai

SEXP tk_share(SEXP object) {
  return tenkai::guarded([&] { return tenkai::shared(object); });
}
