// The last lines that a child writes, read from a pipe as they come.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/descriptor.h"

namespace tenkai {

namespace asio = boost::asio;

class LogTail : public std::enable_shared_from_this<LogTail> {
 public:
  static constexpr std::size_t max_size = 4096;

  explicit LogTail(asio::any_io_executor executor) : pipe_(executor) {}

  // Keeps itself alive while the other end is open.
  void read_from(Descriptor pipe);
  // Takes what is in the pipe, not what children of the child may yet write, and
  // closes it.
  void finish();
  // At most 4 KiB, whole lines.
  const std::string& text() const { return text_; }

 private:
  void read();
  boost::system::error_code read_some();

  asio::posix::stream_descriptor pipe_;
  std::array<char, 1024> buffer_{};
  std::string text_;
};

}  // namespace tenkai
