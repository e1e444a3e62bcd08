// The two forms in which SSH writes things down: numbers and texts one behind the
// other, each text with its length before it; and base64 of such.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tenkai::ssh {

// Reads; what is not there is empty, or 0, and everything behind it as well.
class SshReader {
 public:
  explicit SshReader(std::string_view bytes) : rest_(bytes) {}

  std::uint32_t number();
  std::string_view text();
  std::uint8_t byte();
  bool good() const { return good_; }

 private:
  std::string_view take(std::size_t size);

  std::string_view rest_;
  bool good_ = true;
};

std::string ssh_number(std::uint32_t number);
std::string ssh_text(std::string_view text);

std::string to_base64(std::string_view bytes);
// Line ends are skipped. Empty where it is no base64.
std::string from_base64(std::string_view text);

}  // namespace tenkai::ssh
