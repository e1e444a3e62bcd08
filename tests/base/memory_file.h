// Memory files as payloads come in, and a reader that takes them.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/frame_reader.h"
#include "tests/catch.h"

namespace tenkai {

inline constexpr std::uint64_t plenty = 64 * 1024 * 1024;
inline constexpr int sealed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

inline int memory_file(std::string_view content, int seals = sealed) {
  int descriptor = ::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(descriptor >= 0);
  REQUIRE(::write(descriptor, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  REQUIRE(::fcntl(descriptor, F_ADD_SEALS, seals) == 0);
  return descriptor;
}

inline bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) != -1; }

struct Reading {
  FrameReader reader{plenty};
  std::vector<Frame> frames;

  bool feed(std::string_view bytes) {
    return reader.feed(bytes, [this](Frame&& frame) { frames.push_back(std::move(frame)); });
  }
};

}  // namespace tenkai
