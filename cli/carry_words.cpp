#include "cli/carry_words.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace tenkai {
namespace {

constexpr int patience_ms = 1000;
constexpr std::size_t most_lines = 10;  // of a log

// A pipe that is ready takes PIPE_BUF bytes at once.
void write_or_drop(std::string_view text) {
  static int patience = patience_ms;  // once in a row
  while (!text.empty()) {
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    bool is_ready = ::poll(&out, 1, patience) == 1;
    patience = is_ready ? patience_ms : 0;
    ssize_t size = is_ready ? ::write(out.fd, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF)) : 0;
    if (size <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

}  // namespace

void say(const std::string& what) {
  std::string text;
  for (std::string_view line : split(what, '\n'))
    text += (text.empty() ? "tenkai carry: " : "    ") + printable(line, 1000) + "\n";
  write_or_drop(text);
}

std::string last_of(const std::string& log) {
  std::vector<std::string_view> lines = split(trim(log), '\n');
  std::string text;
  for (std::size_t i = lines.size() > most_lines ? lines.size() - most_lines : 0; i < lines.size(); ++i)
    text.append(lines[i]).append("\n");
  return text;
}

void hold_standard_descriptors() {
  int held = 0;
  while ((held = ::open("/dev/null", O_RDWR)) >= 0 && held <= STDERR_FILENO) continue;
  if (held > STDERR_FILENO) ::close(held);
}

}  // namespace tenkai
