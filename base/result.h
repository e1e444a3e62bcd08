// A value, or a sentence that says why there is none.
//
// Spelled like std::expected, which GCC 12 does not have yet. What a user or a
// site can cause comes back as one of these; the sentence tells what was tried,
// on what, why it failed and what to do.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error_code.h"

namespace tenkai {

struct Error {
  std::string message;
  // Set where a caller may decide by it; the message then begins with the text of the code.
  Code code = Code::none;
};

// "27 | Peer could not be authenticated: there is no credential"
inline Error with_code(Code code, std::string_view what) {
  return {text_of(code) + ": " + std::string(what), code};
}

template <class Value>
class [[nodiscard]] Result {
 public:
  Result(Value value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  Value& operator*() & { return std::get<0>(state_); }
  const Value& operator*() const& { return std::get<0>(state_); }
  Value&& operator*() && { return std::get<0>(std::move(state_)); }
  Value* operator->() { return &std::get<0>(state_); }
  const Value* operator->() const { return &std::get<0>(state_); }

  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<Value, Error> state_;
};

struct Done {};

}  // namespace tenkai
