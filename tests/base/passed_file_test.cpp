// Payloads in memory files, whose descriptors come beside the frames.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/frame_reader.h"
#include "tests/base/memory_file.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

std::string head_for(std::uint64_t size, std::uint32_t stream = 0) {
  Frame frame(Type::task);
  frame.task = 7;
  frame.stream = stream;
  std::string head = encode_head(frame, in_file);
  for (std::size_t i = 0; i < 8; ++i) head[8 + i] = static_cast<char>(size >> (8 * i));
  return head;
}

}  // namespace

TEST_CASE("a payload in a passed file is the content of the file") {
  Reading reading;
  int descriptor = memory_file("content");

  reading.reader.push_descriptor(descriptor);
  REQUIRE(reading.feed(head_for(7)));

  REQUIRE(reading.frames.size() == 1);
  CHECK(file_of(reading.frames[0].payload) == descriptor);
  CHECK(view_of(reading.frames[0].payload) == "content");
  reading.frames.clear();
  CHECK_FALSE(is_open(descriptor));
}

TEST_CASE("files are given to frames in the order in which they came") {
  Reading reading;
  reading.reader.push_descriptor(memory_file("first"));
  reading.reader.push_descriptor(memory_file("second"));

  REQUIRE(reading.feed(head_for(5) + encode_head(Frame(Type::ping)) + head_for(6)));

  REQUIRE(reading.frames.size() == 3);
  CHECK(view_of(reading.frames[0].payload) == "first");
  CHECK(reading.frames[1].payload == nullptr);
  CHECK(view_of(reading.frames[2].payload) == "second");
}

TEST_CASE("a frame that names a file which did not come is refused") {
  Reading reading;

  CHECK_FALSE(reading.feed(head_for(7)));
  CHECK(reading.reader.error() == "a frame names a file that did not come with it");
}

TEST_CASE("a file that its sender could still change or shorten is refused") {
  for (int seals : {0, F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW}) {
    Reading reading;
    reading.reader.push_descriptor(memory_file("content", seals));
    CHECK_FALSE(reading.feed(head_for(7)));
    CHECK(reading.reader.error() == "a passed file is not what its frame says");
  }
}

TEST_CASE("a file of another size is refused") {
  for (std::uint64_t size : {0u, 6u, 8u}) {
    Reading reading;
    reading.reader.push_descriptor(memory_file("content"));
    CHECK_FALSE(reading.feed(head_for(size)));
    CHECK(reading.reader.error() == "a passed file is not what its frame says");
  }
}

TEST_CASE("what is no memory file is refused") {
  Reading reading;
  int descriptor = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);

  reading.reader.push_descriptor(descriptor);

  CHECK_FALSE(reading.feed(head_for(7)));
  CHECK(reading.reader.error() == "a passed file is not what its frame says");
  CHECK_FALSE(is_open(descriptor));
}

TEST_CASE("a payload cannot be in a file and in segments") {
  Reading reading;
  reading.reader.push_descriptor(memory_file("content"));

  CHECK_FALSE(reading.feed(head_for(7, 1)));
  CHECK(reading.reader.error() == "a payload is both in a file and in segments");
}

TEST_CASE("the limit holds for files too") {
  FrameReader stranger;
  stranger.push_descriptor(memory_file(std::string(max_greeting + 1, 'x')));

  CHECK_FALSE(stranger.feed(head_for(max_greeting + 1), [](Frame&&) {}));
}

TEST_CASE("files that no frame names are not collected for ever") {
  Reading reading;
  std::string ping = encode_head(Frame(Type::ping));
  int accepted = 0;
  while (accepted < 100) {
    reading.reader.push_descriptor(memory_file("x"));
    if (!reading.feed(ping)) break;
    ++accepted;
  }

  CHECK(accepted == 16);
  CHECK(reading.reader.error() == "files came that no frame names");
}

TEST_CASE("files are not collected behind a long payload either") {
  Reading reading;
  Frame frame(Type::task);
  frame.payload = make_payload(std::string(1'000'000, 'p'));
  REQUIRE(reading.feed(encode_head(frame)));
  for (int i = 0; i < 17; ++i) reading.reader.push_descriptor(memory_file("x"));

  CHECK_FALSE(reading.feed(view_of(frame.payload).substr(0, 1000)));
}

TEST_CASE("where descriptors are scarce the content of a file moves into memory") {
  Reading reading;
  int kept = memory_file("kept");
  int copied = memory_file("copied");
  REQUIRE(kept < copied);
  int usual = std::exchange(Bytes::end_of_files, copied);
  reading.reader.push_descriptor(kept);
  reading.reader.push_descriptor(copied);

  bool read = reading.feed(head_for(4) + head_for(6));
  Bytes::end_of_files = usual;

  REQUIRE(read);
  CHECK(file_of(reading.frames[0].payload) == kept);
  CHECK(file_of(reading.frames[1].payload) == -1);
  CHECK(view_of(reading.frames[1].payload) == "copied");
  CHECK_FALSE(is_open(copied));
}
