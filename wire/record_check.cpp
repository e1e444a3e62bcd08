#include "wire/record_check.h"

#include <algorithm>

namespace tenkai {
namespace {

constexpr unsigned char handshake_record = 22;

}  // namespace

bool RecordCheck::accept(std::string_view bytes) {
  while (!bytes.empty()) {
    if (rest_ > 0) {
      std::size_t passed = std::min(rest_, bytes.size());
      rest_ -= passed;
      bytes.remove_prefix(passed);
      continue;
    }
    head_[held_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    switch (judge()) {
      case Judgement::wants_more: break;
      case Judgement::good: held_ = 0; break;
      case Judgement::bad: return false;
    }
  }
  return true;
}

// Records of other kinds, and what is no record at all, are OpenSSL's to judge: it
// takes no memory for them.
RecordCheck::Judgement RecordCheck::judge() {
  if (held_ < record_head) return Judgement::wants_more;
  std::size_t size = std::size_t{head_[3]} << 8 | head_[4];
  if (head_[0] != handshake_record) {
    rest_ = size;
    return Judgement::good;
  }
  if (size < message_head) return Judgement::bad;
  if (held_ < head_.size()) return Judgement::wants_more;
  std::size_t message = std::size_t{head_[6]} << 16 | std::size_t{head_[7]} << 8 | head_[8];
  if (message_head + message != size) return Judgement::bad;
  rest_ = message;
  return Judgement::good;
}

}  // namespace tenkai
