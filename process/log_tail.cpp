#include "process/log_tail.h"

#include <boost/asio/buffer.hpp>

#include "base/text.h"

namespace tenkai {

void LogTail::read_from(Descriptor pipe) {
  pipe_.assign(pipe.release());
  pipe_.non_blocking(true);
  read();
}

void LogTail::read() {
  // It waits here and reads there: bytes that were read, and whose handler has not
  // run when the process ends, would be missing from its last words.
  pipe_.async_wait(asio::posix::stream_descriptor::wait_read,
                   [self = shared_from_this()](boost::system::error_code failed) {
                     if (!failed) failed = self->read_some();
                     if (!failed || failed == asio::error::would_block) self->read();
                   });
}

boost::system::error_code LogTail::read_some() {
  boost::system::error_code failed;
  std::size_t size = pipe_.read_some(asio::buffer(buffer_), failed);
  text_.append(buffer_.data(), size);
  keep_last_lines(text_, max_size);
  return failed;
}

void LogTail::finish() {
  if (!pipe_.is_open()) return;
  for (int i = 0; i < 64 && !read_some(); ++i) continue;
  boost::system::error_code ignored;
  pipe_.close(ignored);
}

}  // namespace tenkai
