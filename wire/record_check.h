// What a stranger may announce before there is TLS.
//
// OpenSSL takes memory for a message of the handshake as soon as it has seen how
// long it shall be, and a ClientHello may be 128 KiB: 256 strangers with 11 bytes
// each would have 42 MB. No client needs more than one record for it, so here a
// message of the handshake must end with the record in which it begins, and takes
// 16 KiB at most.
//
// Looks at the same bytes as OpenSSL, before it does. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tenkai {

class RecordCheck {
 public:
  // The next bytes of the stream, in pieces of any size. False: a message of the
  // handshake is announced that does not end with its record.
  bool accept(std::string_view bytes);

 private:
  static constexpr std::size_t record_head = 5;
  static constexpr std::size_t message_head = 4;

  enum class Judgement { wants_more, good, bad };
  Judgement judge();

  std::array<unsigned char, record_head + message_head> head_{};
  std::size_t held_ = 0;  // of head_
  std::size_t rest_ = 0;  // of the record, which is of no interest
};

}  // namespace tenkai
